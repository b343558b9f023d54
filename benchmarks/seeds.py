"""What the benchmarks of several seeds share: runs that are trained once, and lines for each seed and over all."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from ganlab.run.session import train
from ganlab.spec import Spec, read_spec
from ganlab.studies.record import RunRecord
from ganlab.studies.state import state_of


def tell_seeds(
    system: str,
    seeds: Sequence[int],
    measure: Callable[[int], tuple[Mapping[str, float], float]],
    is_good: Callable[[Mapping[str, float]], bool],
) -> None:
    """Measure a system with each seed, which gives numbers by name and seconds, and hold them against its bounds."""
    found = []
    for seed in seeds:
        numbers, spent = measure(seed)
        found.append(numbers)
        line = ", ".join(f"{name} {value:.4f}" for name, value in numbers.items())
        verdict = "within" if is_good(numbers) else "outside"
        print(f"{system}, seed {seed} ({spent:.0f} s): {line}: {verdict} the bounds", flush=True)
    for name in found[0]:
        values = [numbers[name] for numbers in found]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        print(f"  {system}: {name} {statistics.mean(values):.4f} +- {spread:.4f}", flush=True)


def tell_systems(
    description: str,
    systems: Collection[str],
    measure: Callable[[str, int, Path], tuple[Mapping[str, float], float]],
    is_good: Callable[[str, Mapping[str, float]], bool],
) -> None:
    """A program that tells the seeds of several systems, or of the one that `--only` names."""
    parser = parser_of_seeds(description)
    parser.add_argument("--only", choices=list(systems))
    arguments = parser.parse_args()
    for system in [arguments.only] if arguments.only else systems:
        tell_seeds(system, arguments.seeds, partial(measure, system, runs=arguments.runs), partial(is_good, system))


def parser_of_seeds(description: str) -> argparse.ArgumentParser:
    """A program's options: where its runs are, and the seeds, as in 0,1,2."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default="0,1,2")
    return parser


def trained(path: Path, name: str, seed: int, runs: Path) -> tuple[Spec, Path, float]:
    """A spec's file as `name-seed`, its run, trained if there is none, and the seconds of CPU time that took."""
    spec = read_spec(path, [f"seed={seed}", f"name={name}-{seed}"])
    began = time.process_time()
    return spec, run_of(spec, runs), time.process_time() - began


def run_of(spec: Spec, runs: Path) -> Path:
    """The folder of the newest run of a spec's name that came to its end; it is trained if there is none."""
    if not _finished(spec, runs):
        train(spec, runs)
    return _finished(spec, runs)[-1]


def _finished(spec: Spec, runs: Path) -> list[Path]:
    folders = sorted(path.parent for path in runs.glob(f"{spec.name}/*/spec.yaml"))
    return [folder for folder in folders if state_of(RunRecord(folder)).word == "finished"]
