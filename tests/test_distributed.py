"""Sums over processes, on one and on two of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from ganlab.distributed import Exchange, _checksum
from ganlab.errors import TrainingStopped
from ganlab.nn import stack_over_ranks, sum_over_ranks
from ganlab.testing.two_ranks import run_on_two_ranks

VALUES = torch.tensor([[0.3, -1.2], [2.0, 0.7]], dtype=torch.float64)


def cubes(values: torch.Tensor) -> torch.Tensor:
    """A loss for each rank's value that depends on all of them in a way that is not linear."""
    return values.sum() ** 3 * values[0] + values[1].sin() * values[0] ** 2


def derivatives(loss: torch.Tensor, values: torch.Tensor) -> dict[str, torch.Tensor]:
    (first,) = torch.autograd.grad(loss, values, create_graph=True)
    (second,) = torch.autograd.grad(first.square().sum(), values)
    return {"first": first.detach(), "second": second}


def test_one_process_has_nothing_to_sum() -> None:
    assert sum_over_ranks(VALUES) is VALUES
    assert torch.equal(stack_over_ranks(VALUES), VALUES[None])


def test_both_derivatives_on_two_processes_are_those_of_one(ranks: list[dict]) -> None:
    whole = VALUES.clone().requires_grad_()
    # Each rank has the loss `cubes` of the sum and of the stack; their sum over both ranks is what is differentiated.
    expected = derivatives(2 * cubes(whole.sum(0)) + 2 * cubes(whole[:, 0]), whole)
    for rank, state in enumerate(ranks):
        for name, value in expected.items():
            torch.testing.assert_close(state["derivatives"][name], value[rank], msg=f"{name} derivative on rank {rank}")


def test_gradients_of_all_types_and_orders_are_averaged_and_lazy_ones_left_out(ranks: list[dict]) -> None:
    expected = expected_gradients()
    assert "1.lazy" in expected
    assert "2.lazy" not in expected
    for state in ranks:
        found = state["exchanged"]
        assert {name for name in found if name != "mean" and not name.endswith("signal")} == set(expected)
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, msg=name)
        assert [bool(found[f"{update}.signal"]) for update in range(4)] == [False, False, True, False]
        assert torch.equal(found["mean"], torch.full((3,), 0.5))


def test_a_buffer_that_differs_is_refused_on_both_ranks_and_named(ranks: list[dict]) -> None:
    for name in ("pool", "count"):
        first, second = (state["refusals"][name] for state in ranks)
        assert first == second
        assert f"the buffer '{name}' is not the same on all processes" in first
        assert "gather_batch" in first


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool])
def test_checksums_tell_values_and_places_apart(dtype: torch.dtype) -> None:
    buffer = torch.tensor([[0, 1, 1], [0, 0, 1]], dtype=dtype)
    other, moved = buffer.clone(), buffer.flip(1)
    other[1, 1] = 1
    assert _checksum(buffer) == _checksum(buffer.t().contiguous().t())
    assert len({int(_checksum(part)) for part in (buffer, other, moved)}) == 3


class Game(nn.Module):
    """Parameters of three types and memory orders, of which one has no gradient in every other update."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.plain = nn.Parameter(torch.randn(3, 5))
        self.wide = nn.Parameter(torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last))
        self.exact = nn.Parameter(torch.randn(7, dtype=torch.float64))
        self.short = nn.Parameter(torch.randn(5, dtype=torch.bfloat16))
        self.lazy = nn.Parameter(torch.randn(2, 2))
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.register_buffer("pool", torch.zeros(2, 3))

    def loss(self, rank: int, update: int) -> torch.Tensor:
        terms = [(value.float() * (rank + 1 + update)).square().sum() for value in (self.plain, self.wide, self.short)]
        terms.append((self.exact.square().sum() * (rank + 3)).float())
        return sum(terms) + (self.lazy.sum() * (rank + 1) if update % 2 else 0)


def exchanged(rank: int) -> dict[str, torch.Tensor]:
    """Gradients of four updates, statistics and answers of one rank."""
    game, found = Game(), {}
    exchange = Exchange(game)
    parameters = {name: value for name, value in game.named_parameters() if not name.startswith("norm")}
    for update in range(4):
        for value in parameters.values():
            value.grad = None
        game.loss(rank, update).backward()
        game.norm.running_mean.fill_(rank)
        answer = exchange.synchronise(parameters.values(), signal=rank == 1 and update == 2)
        found[f"{update}.signal"] = torch.tensor(answer)
        gradients = {name: value.grad for name, value in parameters.items() if value.grad is not None}
        assert all(gradient.stride() == parameters[name].stride() for name, gradient in gradients.items())
        found |= {f"{update}.{name}": gradient.clone() for name, gradient in gradients.items()}
    return found | {"mean": game.norm.running_mean}


def expected_gradients() -> dict[str, torch.Tensor]:
    found = {}
    for update in range(4):
        sides = [Game() for _ in range(2)]
        for rank, side in enumerate(sides):
            side.loss(rank, update).backward()
        for name, first in sides[0].named_parameters():
            second = sides[1].get_parameter(name)
            if first.grad is not None:
                found[f"{update}.{name}"] = (first.grad + second.grad) / 2
    return found


def refusals(rank: int) -> dict[str, str]:
    """What is said about buffers that differ, at the first exchange and at the 65th."""
    found = {}
    for name, late in (("pool", False), ("count", True)):
        game = Game()
        exchange = Exchange(game)
        game.plain.grad = torch.ones_like(game.plain)
        for _ in range(64 if late else 0):
            exchange.synchronise([game.plain], False)
        game.get_buffer(name).add_(rank)
        try:
            exchange.synchronise([game.plain], False)
        except TrainingStopped as problem:
            found[name] = str(problem)
    return found


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    folder = tmp_path_factory.mktemp("ranks")
    run_on_two_ranks(save_what_is_found, folder)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def save_what_is_found(rank: int, folder: Path) -> None:
    dist.init_process_group("gloo")
    own = VALUES[rank].clone().requires_grad_()
    loss = cubes(sum_over_ranks(own)) + cubes(stack_over_ranks(own)[:, 0])
    state = {"derivatives": derivatives(loss, own), "exchanged": exchanged(rank), "refusals": refusals(rank)}
    torch.save(state, folder / f"{rank}.pt")
    dist.destroy_process_group()
