"""What one side of the published sliced Wasserstein distance costs, and sorting rows with numpy against `torch.sort`.

    python benchmarks/swd_speed.py [--images 16384] [--resolution 64] [--threads 2]

A side is the work for the reals or for the fakes of one evaluation: pyramids and patches, then all projections sorted.
Both sorts are timed on a few rows of a level's length, in one process, and scaled to all rows of a side. For unequal
numbers of reals and fakes, the distances are compared with a plain program that finds the steps of the quantile
functions anew for every few directions.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from ganlab_metrics.swd import SlicedWassersteinDistance
from ganlab_metrics.wasserstein import wasserstein_distances
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


def plain_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Wasserstein distances between sorted rows of unequal lengths."""
    count, other = first.shape[1], second.shape[1]
    ends = np.union1d(np.arange(1, count + 1) * other, np.arange(1, other + 1) * count)
    starts = np.concatenate([[0], ends[:-1]])
    return np.abs(first[:, starts // other] - second[:, starts // count]) @ ((ends - starts) / (count * other))


def compare_unequal(reals: int, fakes: int, patches: int, threads: int, repeats: int = 5) -> None:
    """Print what the distances of 32 directions cost between so many reals and fakes, in turns."""
    random = np.random.default_rng(0)
    rows = [np.sort(random.standard_normal((32, n * patches), dtype=np.float32), axis=1) for n in (reals, fakes)]
    times: dict[Callable[..., np.ndarray], list[float]] = {plain_distances: [], wasserstein_distances: []}
    for _ in range(repeats):
        for distances, taken in times.items():
            taken.append(seconds(lambda distances=distances: distances(*rows)))
    plain, ours = (float(np.median(taken)) for taken in times.values())
    error = float(np.abs(plain_distances(*rows) / wasserstein_distances(*rows) - 1).max())
    title = f"Distances of 32 directions, {reals} reals against {fakes} fakes: seconds"
    columns = ["plain", "ganlab", "ratio", "largest relative difference"]
    print_table(title, columns, [[f"{plain:.3f}", f"{ours:.3f}", plain / ours, f"{error:.0e}"]], threads)


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
    compare_unequal(1797, 2000, metric.patches, arguments.threads)


if __name__ == "__main__":
    main()
