"""Adaptive augmentation against a plain program that takes every image through the whole published pipeline.

    python benchmarks/augmentation.py [--images 16] [--resolution 64] [--threads 1] [--repeats 30]

Both draw all operations of the default groups with the same probabilities. The plain program reflects, doubles, samples
and halves all images with whole matrices, as ganlab-augment did before it told images apart. The two take turns; the
table shows medians. `backward` is the pass to the images that the generator learns through.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch
from ganlab_augment.ada import AdaptiveAugmentation
from ganlab_augment.colour import colour_map
from ganlab_augment.diffaugment import DiffAugment
from ganlab_augment.geometry import inverse_transform
from ganlab_augment.operations import Draws
from ganlab_augment.reflection import folded
from ganlab_augment.wavelets import SYMLET_6, centre
from report import print_table
from torch import Tensor
from torch.nn.functional import grid_sample

from ganlab.randomness import Randomness

_TAPS, _CENTRE = len(SYMLET_6), centre(SYMLET_6)
_BEYOND, _MARGIN = 3, 8  # pixels outside that edges reach, and pixels that are added


def plain_augmentation(images: Tensor, random: Randomness, p: float, shares: dict[str, float]) -> Tensor:
    """Geometry and colours of all images, whatever was drawn."""
    draws = Draws(random, images, torch.tensor(p), shares, {})
    images = _warped(images, inverse_transform(draws)[:, :2])
    matrix, offset = colour_map(draws)
    return (matrix @ images.flatten(2)).view_as(images) + offset[:, :, None, None]


def _warped(images: Tensor, inverse: Tensor) -> Tensor:
    size = images.shape[-1]
    places = folded(torch.arange(-_MARGIN, size + _MARGIN), size)
    doubling = _halving(size + 2 * _MARGIN).t() * 2
    fine = doubling @ images[:, :, places][..., places] @ doubling.t()
    offsets = (torch.arange(2 * size + _TAPS - 2) - _CENTRE) / 2 - (size - 1) / 2
    grid = torch.stack(torch.meshgrid(offsets, offsets, indexing="xy"), dim=-1)
    moved = grid @ inverse[:, None, :, :2].transpose(2, 3) + inverse[:, None, None, :, 2] + (size - 1) / 2
    outside = (moved < -_BEYOND) | (moved > size - 1 + _BEYOND)
    moved = (torch.where(outside, folded(moved, size), moved) + _MARGIN) * 2 + _CENTRE
    samples = grid_sample(fine, moved * 2 / (fine.shape[-1] - 1) - 1, align_corners=True)
    return _halving(size) @ samples @ _halving(size).t()


def _halving(size: int) -> Tensor:
    matrix = torch.zeros(size, 2 * size + _TAPS - 2)
    rows = torch.arange(size)
    for place, tap in enumerate(SYMLET_6):
        matrix[rows, 2 * rows + place] = tap / math.sqrt(2)
    return matrix


def medians(works: list[Callable[[int], object]], repeats: int) -> list[float]:
    """Milliseconds of each, in turns, each call with other draws."""
    times: list[list[float]] = [[] for _ in works]
    for repeat in range(repeats + 2):
        for work, taken in zip(works, times, strict=True):
            started = time.perf_counter()
            work(repeat)
            taken.append(1000 * (time.perf_counter() - started))
    return [statistics.median(taken[2:]) for taken in times]


def compare(p: float, images: Tensor, repeats: int) -> list[list[object]]:
    """Rows of the table for one probability."""
    augmentation = AdaptiveAugmentation(images.shape[1], p=p)
    leaf = images.clone().requires_grad_()

    def plain(x: Tensor, repeat: int) -> Tensor:
        return plain_augmentation(x, Randomness("benchmark", repeat, count=len(x)), p, augmentation.shares)

    def ours(x: Tensor, repeat: int) -> Tensor:
        augmented: Tensor = augmentation(x, Randomness("benchmark", repeat, count=len(x)))
        return augmented

    largest = max(float((plain(images, repeat) - ours(images, repeat)).abs().max()) for repeat in range(3))
    rows: list[list[object]] = []
    for name, forward in (("forward", True), ("and backward", False)):
        works = [
            (lambda repeat, of=of: of(images, repeat))
            if forward
            else (lambda repeat, of=of: torch.autograd.grad(of(leaf, repeat).sum(), leaf))
            for of in (plain, ours)
        ]
        old, new = medians(works, repeats)
        rows.append([p, name, old, new, old / new, f"{largest:.0e}"])
    return rows


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=30)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    images = torch.rand(arguments.images, 3, arguments.resolution, arguments.resolution) * 2 - 1
    rows = [row for p in (0.0, 0.1, 0.2, 0.3, 0.6) for row in compare(p, images, arguments.repeats)]
    title = f"ADA on {arguments.images} RGB images at {arguments.resolution} pixels: milliseconds"
    columns = ["p", "pass", "plain", "ganlab", "ratio", "largest difference"]
    print_table(title, columns, rows, arguments.threads)
    other = DiffAugment(3)
    (taken,) = medians([lambda repeat: other(images, Randomness(repeat, count=len(images)))], arguments.repeats)
    print(f"DiffAugment, forward: {taken:.2f} ms")


if __name__ == "__main__":
    main()
