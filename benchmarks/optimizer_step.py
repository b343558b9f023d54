"""What happens after a backward pass, in one call for all tensors against one call for each.

Usage: `python benchmarks/optimizer_step.py [--millions 24]`

The optimizer, the average of the generator and the guard's check of the gradient, on a network of equal layers.
"""

from __future__ import annotations

import argparse
import copy
import statistics

import torch
from report import print_table
from torch import nn
from turns import Work, in_turns

from ganlab.training.ema import Averages
from ganlab.training.optimizers import adam

_LAYERS = 46
_BETAS = (0.0, 0.99)


def make_network(millions: float) -> nn.Module:
    """Convolutions with so many million parameters, and a gradient for each."""
    width = round((millions * 1e6 / _LAYERS / 9) ** 0.5)
    network = nn.Sequential(*(nn.Conv2d(width, width, 3) for _ in range(_LAYERS)))
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    return network


def adam_step(network: nn.Module) -> dict[str, Work]:
    """Adam."""
    loop = torch.optim.Adam(copy.deepcopy(network).parameters(), betas=_BETAS, foreach=False, fused=False)
    for group in loop.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.randn_like(parameter)
    return {"ganlab": adam(network.parameters(), betas=_BETAS).step, "loop": loop.step}


def average(network: nn.Module) -> dict[str, Work]:
    """The average of the weights."""
    averages = Averages({"generator": network}, 10.0, None)
    target = copy.deepcopy(network)

    @torch.no_grad()
    def loop() -> None:
        for old, new in zip(target.parameters(), network.parameters(), strict=True):
            old.copy_(new.lerp(old, 0.99))

    return {"ganlab": lambda: averages.update({"generator": network}, 64, 64_000), "loop": loop}


def guard(network: nn.Module) -> dict[str, Work]:
    """Whether all gradients are finite."""
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]

    def one_norm() -> bool:
        return bool(torch.isfinite(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))))

    def loop() -> bool:
        return all(bool(torch.isfinite(gradient).all()) for gradient in gradients)

    return {"ganlab": one_norm, "loop": loop}


def milliseconds(ways: dict[str, Work], rounds: int) -> dict[str, float]:
    """Medians of alternating calls; the first ones, which do not count, make the optimizer's state."""
    return {name: 1000 * statistics.median(taken) for name, taken in in_turns(ways, rounds).items()}


def main() -> None:
    """Print one row for each part and their sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millions", type=float, default=24.0)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    network = make_network(arguments.millions)
    parts = {"Adam": adam_step, "average": average, "check of the gradient": guard}
    measured = {name: milliseconds(part(network), arguments.rounds) for name, part in parts.items()}
    measured["together"] = {way: sum(row[way] for row in measured.values()) for way in ("ganlab", "loop")}
    rows = [(name, row["ganlab"], row["loop"], row["loop"] / row["ganlab"]) for name, row in measured.items()]
    count = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    title = f"After the backward pass, {count:.1f} million parameters in {2 * _LAYERS} tensors"
    print_table(title, ["part", "ganlab ms", "loop ms", "ratio"], rows, arguments.threads)


if __name__ == "__main__":
    main()
