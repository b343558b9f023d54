"""What one side of the published sliced Wasserstein distance costs, and sorting rows with numpy against `torch.sort`.

    python benchmarks/swd_speed.py [--images 16384] [--resolution 64] [--threads 2]

A side is the work for the reals or for the fakes of one evaluation: pyramids and patches, then all projections sorted.
Both sorts are timed on a few rows of a level's length, in one process, and scaled to all rows of a side.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from ganlab_metrics.swd import SlicedWassersteinDistance
from report import print_table

_BATCH = 64


def seconds(work: Callable[[], object]) -> float:
    """How long something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def show(metric: SlicedWassersteinDistance, batches: Sequence[torch.Tensor], real: bool) -> None:
    """One side's images."""
    for images in batches:
        metric.update(images, real=real)


def main() -> None:
    """Measure what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=16_384)
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rows", type=int, default=4, help="rows that the sorts are timed on")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    shape = (3, arguments.resolution, arguments.resolution)
    metric = SlicedWassersteinDistance(shape, cache_mib=0)
    batches = torch.randint(256, (arguments.images, *shape), dtype=torch.uint8).split(_BATCH)
    patches = seconds(lambda: show(metric, batches, real=True))
    show(metric, batches, real=False)
    projections = seconds(metric.compute) / 2

    numbers = torch.randn(arguments.rows, arguments.images * metric.patches)
    copy, rows = numbers.numpy().copy(), len(metric.sizes) * metric.directions
    by_numpy = seconds(lambda: np.ndarray.sort(copy, axis=1)) / arguments.rows * rows
    by_torch = seconds(lambda: torch.sort(numbers, dim=1)) / arguments.rows * rows
    table = [
        ["patches of the pyramids", patches],
        ["projections, sorted", projections],
        ["one side", patches + projections],
        [f"of it, sorting {rows} rows with numpy", by_numpy],
        ["the same with torch.sort", by_torch],
    ]
    title = f"SWD of {arguments.images} RGB images at {arguments.resolution} pixels: seconds a side"
    print_table(title, ["work", "seconds"], table, arguments.threads)
    print(f"numpy sorts {by_torch / by_numpy:.1f} times as fast")


if __name__ == "__main__":
    main()
