"""Extraction and metrics of features: images a second against torch-fidelity's loop, and seconds and memory of metrics.

    python benchmarks/metrics_speed.py [--features 10000] [--images 32] [--rounds 3] [--skip-extraction]

Times are CPU seconds of one thread, which other jobs on the machine disturb little.

Extraction: Inception with random weights on images of 64 pixels, torch-fidelity's network as it is and the pack's, in
turns; the ratio is that of medians. Metrics: each in a process of its own on random features of 2,048 dimensions, so
that the peak memory is its own, beside that of the features alone; where torch-fidelity has the metric, it is
measured likewise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from report import print_table
from torch import Tensor

_DIMENSIONS = 2048
_FROM_TORCH_FIDELITY = "torch-fidelity "


def random_weights(folder: str) -> str:
    """A file of Inception's weights, random and of a size that keeps activations alive."""
    from ganlab_metrics.inception import inception_graph

    torch.manual_seed(0)
    graph = inception_graph()
    for module in graph.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    path = str(Path(folder) / "inception.pth")
    torch.save(graph.state_dict(), path)
    return path


def compare_extraction(images: int, rounds: int) -> list[list[str]]:
    """Images a second of both, with the ratio."""
    from ganlab_metrics.inception import Inception
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with tempfile.TemporaryDirectory() as folder:
        path = random_weights(folder)
        theirs = FeatureExtractorInceptionV3("inception-v3-compat", ["2048"], path, verbose=False)
        extractors = {
            "torch-fidelity": lambda shown: theirs(shown)[0],
            "float32": Inception(weights=path),
            "bfloat16": Inception(weights=path, dtype="bfloat16"),
        }
        shown = torch.randint(0, 256, (images, 3, 64, 64), dtype=torch.uint8)
        seconds: dict[str, list[float]] = {name: [] for name in extractors}
        features = {}
        for round_, name in itertools.product(range(rounds + 1), extractors):
            begun = time.process_time()
            with torch.no_grad():
                features[name] = extractors[name](shown)
            if round_:  # the first one warms up
                seconds[name].append(time.process_time() - begun)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return [
        [
            name,
            f"{images / median:.2f}",
            f"{medians['torch-fidelity'] / median:.2f}",
            f"{_error(features[name], features['torch-fidelity']):.1e}",
        ]
        for name, median in medians.items()
    ]


def _error(found: Tensor, expected: Tensor) -> float:
    """The largest difference, of the largest feature."""
    return float((found - expected).abs().max() / expected.abs().max())


class _Nothing:
    protocol = {"network": "none"}

    def __call__(self, images: Tensor) -> Tensor:
        return images.flatten(1)

    def logits(self, features: Tensor) -> Tensor:
        return features[:, :1008]


def works() -> dict[str, Callable[[Tensor, Tensor], Any]]:
    """What is measured, by its name."""
    from ganlab_metrics.frechet import FrechetDistance
    from ganlab_metrics.inception_score import InceptionScore
    from ganlab_metrics.kernel_distance import CMMD, KID
    from ganlab_metrics.memorisation import Memorisation
    from ganlab_metrics.neighbourhoods import DensityCoverage, PrecisionRecall
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
    from torch_fidelity.metric_isc import isc_features_to_metric
    from torch_fidelity.metric_kid import kid_features_to_metric
    from torch_fidelity.metric_prc import prc_features_to_metric

    from ganlab.evaluation.feature_set import Features

    nothing = _Nothing()

    def of(metric: Any) -> Callable[[Tensor, Tensor], Any]:
        return lambda reals, fakes: metric.compare(Features(reals), Features(fakes))

    def fid(reals: Tensor, fakes: Tensor) -> Any:
        return fid_statistics_to_metric(fid_features_to_statistics(fakes), fid_features_to_statistics(reals), False)

    copies = Memorisation(nothing)
    return {
        "nothing": lambda reals, fakes: None,
        "fid": of(FrechetDistance(nothing)),
        _FROM_TORCH_FIDELITY + "fid": fid,
        "kid": of(KID(nothing)),
        _FROM_TORCH_FIDELITY + "kid": lambda reals, fakes: kid_features_to_metric(fakes, reals, verbose=False),
        "inception_score": of(InceptionScore(nothing)),
        _FROM_TORCH_FIDELITY + "inception_score": lambda reals, fakes: isc_features_to_metric(fakes[:, :1008]),
        "precision_recall": of(PrecisionRecall(nothing)),
        _FROM_TORCH_FIDELITY + "precision_recall": lambda r, f: prc_features_to_metric(f, r, verbose=False),
        "density_coverage": of(DensityCoverage(nothing)),
        "cmmd": of(CMMD(nothing)),
        "memorisation": lambda r, f: copies.compare(None, Features(f), Features(r), None),
    }


def measure(name: str, count: int) -> None:
    """Print the CPU seconds and the peak memory in MiB of one work on `count` features of each side."""
    random = np.random.default_rng(0)
    reals, fakes = (torch.from_numpy(random.random((count, _DIMENSIONS), np.float32)) for _ in range(2))
    work = works()[name]
    begun = time.process_time()
    work(reals, fakes)
    seconds = time.process_time() - begun
    print(json.dumps([seconds, _peak_memory()]))


def _peak_memory() -> float:
    """The most MiB that this process had since it was started; `getrusage` would tell that of its parent as well."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def in_a_process(name: str, count: int) -> tuple[float, float]:
    """Seconds and peak memory of one work."""
    command = [sys.executable, __file__, "--only", name, "--features", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, memory = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory


def compare_metrics(count: int, names: list[str]) -> list[list[str]]:
    """A row for each metric: seconds, MiB beyond the features, and how many times as long torch-fidelity takes."""
    measured = {name: in_a_process(name, count) for name in names}
    rows = []
    for name, (seconds, memory) in measured.items():
        theirs = measured.get(_FROM_TORCH_FIDELITY + name)
        ratio = "" if theirs is None else f"{theirs[0] / seconds:.1f}"
        rows.append([name, f"{seconds:.1f}", f"{memory - measured['nothing'][1]:.0f}", ratio])
    return rows[1:]


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, default=10_000)
    parser.add_argument("--images", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-extraction", action="store_true")
    parser.add_argument("--without", nargs="*", default=[], help="metrics that are left out")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.only:
        measure(options.only, options.features)
        return
    if not options.skip_extraction:
        rows = compare_extraction(options.images, options.rounds)
        print_table("Inception on 64 pixels", ["network", "images/CPU s", "ratio", "error"], rows)
    names = [name for name in works() if name not in options.without]
    title = f"{options.features:,} features of {_DIMENSIONS} dimensions of each side"
    columns = ["metric", "CPU s", "MiB more", "times as long takes torch-fidelity"]
    print_table(title, columns, compare_metrics(options.features, names))


if __name__ == "__main__":
    main()
