"""Trains the 25-Gaussian toys with the command line and counts the modes that they find.

python benchmarks/gaussians25.py [SPEC ...] [--seeds 0 1 2]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from report import print_table

TOYS = Path(__file__).parents[1] / "experiments/toys"


def train(spec: Path, seed: int, runs: Path) -> tuple[dict[str, float], float, float]:
    """The last metrics of a run, and the seconds and CPU seconds of the whole command."""
    command = [sys.executable, "-m", "ganlab", "train", str(spec), f"seed={seed}", "tracking.progress=false"]
    started, used = time.perf_counter(), cpu_seconds_of_children()
    done = subprocess.run([*command, "--runs", str(runs)], capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{spec.name} with seed {seed} failed:\n{done.stderr}")
    run = Path(done.stdout.strip().splitlines()[-1])
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    return last, seconds, cpu_seconds_of_children() - used


def cpu_seconds_of_children() -> float:
    """CPU time of all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print one row for each spec and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", type=Path, default=sorted(TOYS.glob("gaussians25-*.yaml")))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    arguments = parser.parse_args()
    rows = []
    for spec in arguments.specs:
        for seed in arguments.seeds:
            with tempfile.TemporaryDirectory() as runs:
                values, seconds, used = train(spec, seed, Path(runs))
            captured = f"{values['modes/captured']:.0f} of {values['modes']:.0f}"
            quality = (f"{values['modes/good']:.2%}", f"{values['modes/kl']:.4f}")
            rows.append((spec.stem, seed, captured, *quality, round(seconds), round(used)))
    columns = ["spec", "seed", "modes captured", "within 3 deviations", "divergence", "seconds", "CPU seconds"]
    print_table("25 Gaussians in the plane", columns, rows)


if __name__ == "__main__":
    main()
