"""Power iterations of spectral norm, weight by weight and in one call for all weights of a shape.

    python benchmarks/power_iterations.py [--width 64] [--device cuda]

The weights are those of BigGAN for CIFAR-10. Both ways end with the same vectors.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import torch
from biggan_speed import module_of
from report import print_table
from torch import Tensor
from torch.nn.functional import normalize

from ganlab.nn import SpectralNorm

Weight = tuple[Tensor, Tensor]
"""A weight as a matrix, and its left vector."""


def one_by_one(weights: Iterable[Weight]) -> list[Tensor]:
    """The next left vector of each weight."""
    found = []
    for matrix, u in weights:
        v = normalize(torch.mv(matrix.t(), u), dim=0, eps=1e-4)
        found.append(normalize(torch.mv(matrix, v), dim=0, eps=1e-4))
    return found


def by_shape(weights: Iterable[Weight]) -> list[Tensor]:
    """The same, by products of stacks of matrices."""
    alike: dict[torch.Size, list[tuple[int, Weight]]] = defaultdict(list)
    for place, weight in enumerate(weights):
        alike[weight[0].shape].append((place, weight))
    found: dict[int, Tensor] = {}
    for group in alike.values():
        matrices, u = (torch.stack([weight[part] for _, weight in group]) for part in range(2))
        v = normalize(torch.bmm(u[:, None], matrices)[:, 0], dim=1, eps=1e-4)
        after = normalize(torch.bmm(matrices, v[:, :, None])[:, :, 0], dim=1, eps=1e-4)
        found |= {place: vector for (place, _), vector in zip(group, after, strict=True)}
    return [found[place] for place in range(len(found))]


def milliseconds(work: Callable[[list[Weight]], object], weights: list[Weight], rounds: int, device: str) -> float:
    """The median time of a call."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work(weights)
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, default=64, help="a quarter of the channels")
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=50)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    weights: list[Weight] = []
    for part in module_of(arguments).modules():
        for norm in getattr(getattr(part, "parametrizations", None), "weight", []):
            if isinstance(norm, SpectralNorm):
                original = part.parametrizations.weight.original.detach()  # type: ignore[union-attr]
                weights.append((original.movedim(norm.dim, 0).flatten(1), norm.u))
    error = max(float((a - b).norm()) for a, b in zip(one_by_one(weights), by_shape(weights), strict=True))
    rows = [
        [name, milliseconds(work, weights, arguments.rounds, arguments.device)]
        for name, work in (("one by one", one_by_one), ("by shape", by_shape))
    ]
    shapes = len({matrix.shape for matrix, _ in weights})
    title = f"Power iterations of {len(weights)} weights of {shapes} shapes, {arguments.device}"
    print_table(title, ["way", "ms"], rows, 1)
    print(f"vectors differ by at most {error:.1e}")


if __name__ == "__main__":
    main()
