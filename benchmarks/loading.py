"""How fast image files reach a training, against torchvision's ImageFolder in torch's own DataLoader.

Usage: `python benchmarks/loading.py [--resolution 64] [--workers 0 2]`

Both read the same PNG files, which are written for it, in batches as bytes (C, H, W), in a shuffled order; turns are
interleaved in one process. Photographs are stood in for by smooth noise, which compresses about as they do.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from ganlab_datasets.image_folder import ImageFolder
from PIL import Image
from report import print_table
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder as TorchvisionFolder
from torchvision.transforms import PILToTensor

from ganlab.data import StepLoader


def write_pictures(folder: Path, count: int, resolution: int) -> None:
    """PNG files in two folders, the classes."""
    generator = torch.Generator().manual_seed(0)
    for index in range(count):
        coarse = torch.rand(1, 3, resolution // 4, resolution // 4, generator=generator)
        smooth = interpolate(coarse, size=resolution, mode="bicubic").clamp(0, 1)
        noisy = smooth + 0.02 * torch.randn(smooth.shape, generator=generator)
        pixels = (noisy.clamp(0, 1) * 255).byte()[0].permute(1, 2, 0).numpy()
        path = folder / str(index % 2) / f"{index:05d}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path)


def ours(folder: Path, batch: int, workers: int) -> Iterator[Any]:
    """Batches of ganlab, without end."""
    return iter(StepLoader(ImageFolder(str(folder)), seed=0, step_size=lambda images: (batch, 1), workers=workers))


def theirs(folder: Path, batch: int, workers: int) -> Iterator[Any]:
    """Batches of torchvision's data set, epoch after epoch."""
    loader: DataLoader[Any] = DataLoader(
        TorchvisionFolder(str(folder), transform=PILToTensor()),
        batch_size=batch,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    while True:
        yield from loader


def seconds(batches: Iterator[Any], count: int) -> float:
    """Wall clock of so many batches."""
    start = time.perf_counter()
    for _ in islice(batches, count):
        pass
    return time.perf_counter() - start


def measure(folder: Path, batch: int, workers: int, rounds: int, block: int) -> list[object]:
    """A row of the table: images a second of both, and the median of the ratios of neighbouring turns."""
    makers: list[Callable[[Path, int, int], Iterator[Any]]] = [ours, theirs]
    sources = [make(folder, batch, workers) for make in makers]
    for source in sources:
        seconds(source, 4)
    turns = [[seconds(source, block) for source in sources] for _ in range(rounds)]
    rates = [block * batch / statistics.median(turn[index] for turn in turns) for index in range(2)]
    return [workers, round(rates[0]), round(rates[1]), statistics.median(turn[1] / turn[0] for turn in turns), rounds]


def main() -> None:
    """Measure with each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--block", type=int, default=30, help="batches of one turn, about an epoch")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder, arguments.count, arguments.resolution)
        rows = [
            measure(folder, arguments.batch, workers, arguments.rounds, arguments.block)
            for workers in arguments.workers
        ]
    title = f"Loading PNG files of {arguments.resolution} pixels"
    print_table(
        title, ["workers", "ganlab images/s", "torchvision images/s", "ratio", "rounds"], rows, torch.get_num_threads()
    )


if __name__ == "__main__":
    main()
