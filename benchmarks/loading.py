"""How fast image files reach a training.

Usage: `python benchmarks/loading.py [--resolution 64] [--workers 0 2]`, against torchvision's ImageFolder in torch's
own DataLoader: both read the same PNG files, which are written for it, in batches as bytes (C, H, W), in a shuffled
order. Photographs are stood in for by smooth noise, which compresses about as they do.

Or `python benchmarks/loading.py --photographs`: JPEG files of 1920 x 1080 pixels, cut out of scikit-learn's two
photographs, as batches of 256 x 256: decoded in full (as before JPEG files were reduced on the way), reduced while
they are decoded, prepared as a zip by `ganlab data prepare`, and from `data.cache`. The clock is the CPU's, over all
threads.

Turns are interleaved in one process.
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

import numpy as np
import torch
from ganlab_datasets.image_folder import ImageFolder
from ganlab_datasets.image_zip import ImageZip
from PIL import Image
from report import print_table
from sklearn.datasets import load_sample_images
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder as TorchvisionFolder
from torchvision.transforms import PILToTensor

from ganlab.data import StepLoader
from ganlab.data.cache import CachedDataset
from ganlab.pictures import alikeness
from ganlab.preparation import Request, prepare_pictures


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


def seconds(batches: Iterator[Any], count: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """What so many batches take, by the wall clock or another."""
    start = clock()
    for _ in islice(batches, count):
        pass
    return clock() - start


def measure(folder: Path, batch: int, workers: int, rounds: int, block: int) -> list[object]:
    """A row of the table: images a second of both, and the median of the ratios of neighbouring turns."""
    makers: list[Callable[[Path, int, int], Iterator[Any]]] = [ours, theirs]
    sources = [make(folder, batch, workers) for make in makers]
    for source in sources:
        seconds(source, 4)
    turns = [[seconds(source, block) for source in sources] for _ in range(rounds)]
    rates = [block * batch / statistics.median(turn[index] for turn in turns) for index in range(2)]
    return [workers, round(rates[0]), round(rates[1]), statistics.median(turn[1] / turn[0] for turn in turns), rounds]


def write_photographs(folder: Path, count: int) -> None:
    """JPEG files with parts of two photographs, enlarged to a camera's size."""
    pictures = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    random = np.random.default_rng(0)
    for index in range(count):
        left, top = random.integers(0, 160), random.integers(0, 157)
        part = pictures[index % 2].resize((1920, 1080), box=(left, top, left + 480, top + 270))
        part.save(folder / f"{index:04d}.jpg", quality=92)


def in_full(data: ImageFolder) -> ImageFolder:
    """The data set as it was before JPEG files were reduced while they are decoded."""
    data.take = lambda indices: _without_draft(ImageFolder.take, data, indices)  # type: ignore[method-assign]
    return data


def _without_draft(take: Callable[..., Any], data: ImageFolder, indices: Any) -> Any:
    draft, alikeness._draft = alikeness._draft, lambda image, preparation: None
    try:
        return take(data, indices)
    finally:
        alikeness._draft = draft


def measure_photographs(folder: Path, batch: int, rounds: int, block: int) -> list[list[object]]:
    """Rows of the table: images a CPU second, and the median of the ratios to full decoding in the same turn."""
    photographs, prepared = folder / "photographs", folder / "prepared.zip"
    begin = time.process_time()
    prepare_pictures(Request([photographs], prepared, (256, 256)), workers=1)
    preparing = time.process_time() - begin
    cached = CachedDataset(ImageFolder(str(photographs), 256), folder / "cache")
    cached.prepare()
    sources = {
        "decoded in full (before)": in_full(ImageFolder(str(photographs), 256)),
        "reduced while decoded": ImageFolder(str(photographs), 256),
        "prepared zip": ImageZip(str(prepared)),
        "`data.cache`": cached,
    }
    loaders = {name: iter(StepLoader(data, seed=0, step_size=lambda _: (batch, 1))) for name, data in sources.items()}
    for loader in loaders.values():
        seconds(loader, 1, time.process_time)
    turns = [
        {name: seconds(loader, block, time.process_time) for name, loader in loaders.items()} for _ in range(rounds)
    ]
    first = next(iter(sources))
    rows: list[list[object]] = [
        [
            name,
            round(block * batch / statistics.median(turn[name] for turn in turns)),
            statistics.median(turn[first] / turn[name] for turn in turns),
        ]
        for name in sources
    ]
    count = len(sources[first])
    return [*rows, ["`ganlab data prepare` itself", round(count / preparing), ""]]


def photographs(arguments: argparse.Namespace) -> None:
    """Measure what becomes of large photographs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "photographs").mkdir()
        write_photographs(folder / "photographs", arguments.count)
        rows = measure_photographs(folder, arguments.batch, arguments.rounds, arguments.block)
    columns = ["photographs of 1920 x 1080 to 256 x 256", "images per CPU second", "times as fast as before"]
    print_table("Loading JPEG files", columns, rows, torch.get_num_threads())


def main() -> None:
    """Measure with each number of workers, or photographs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--block", type=int, default=30, help="batches of one turn, about an epoch")
    parser.add_argument("--photographs", action="store_true", help="large JPEG files instead, of as many as --count")
    arguments = parser.parse_args()
    if arguments.photographs:
        photographs(arguments)
        return
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
