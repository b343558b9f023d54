"""Synchronised batch norm on two processes against one process with the whole batch."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist
from ganlab_layers.batch import BatchNormalizer, SynchronisedBatchNorm
from torch import nn
from torch.nn.functional import softplus

from ganlab.testing.two_ranks import run_on_two_ranks

IMAGES = torch.randn(8, 2, 5, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
VECTORS = torch.randn(8, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


class Network(nn.Module):
    """Two batch norms in a row, one of them with a condition, between layers that are not linear together."""

    def __init__(self, synchronise: bool) -> None:
        super().__init__()
        normalizer = BatchNormalizer(synchronise=synchronise)
        self.first = nn.Conv2d(2, 4, 3)
        self.norm = normalizer.activation(4)
        self.second = nn.Linear(4, 4)
        self.conditional = normalizer.activation(4, condition=3)
        self.last = nn.Linear(4, 1)

    def forward(self, images: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        features = softplus(self.norm(self.first(images))).square().mean((2, 3))
        return self.last(softplus(self.conditional(self.second(features), vectors))).flatten()


def trained_state(rank: int, ranks: int, synchronise: bool = True) -> dict[str, torch.Tensor]:
    """Gradients of a loss with a penalty on the gradient, averaged over the ranks, and buffers."""
    torch.manual_seed(0)
    network = Network(synchronise).double()
    rows = slice(rank * 8 // ranks, (rank + 1) * 8 // ranks)
    images, vectors = IMAGES[rows].clone().requires_grad_(), VECTORS[rows]
    logits = network(images, vectors)
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    (softplus(-logits).mean() + 3 * gradient.square().flatten(1).sum(1).mean()).backward()
    state = {name: parameter.grad for name, parameter in network.named_parameters()}
    for value in state.values():
        if ranks > 1:
            dist.all_reduce(value)
        value /= ranks
    return state | dict(network.named_buffers())


def on_two_processes(folder: Path) -> list[dict[str, torch.Tensor]]:
    run_on_two_ranks(save_trained_state, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def test_two_processes_equal_one_even_in_the_gradient_of_a_penalty(tmp_path: Path) -> None:
    alone = trained_state(0, 1, synchronise=False)
    ranks = on_two_processes(tmp_path)
    for name, value in alone.items():
        for state in ranks:
            torch.testing.assert_close(state[name], value, rtol=1e-10, atol=1e-12, msg=name)


def test_one_process_is_plain_batch_norm() -> None:
    alone, synchronised = trained_state(0, 1, synchronise=False), trained_state(0, 1)
    assert isinstance(Network(True).norm, SynchronisedBatchNorm)
    for name, value in alone.items():
        assert torch.equal(value, synchronised[name]), name


def save_trained_state(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo")
    torch.save(trained_state(rank, 2), folder / f"{rank}.pt")
    dist.destroy_process_group()
