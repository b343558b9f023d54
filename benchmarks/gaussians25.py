"""Trains the 25-Gaussian toys with the command line and counts the modes that they find.

python benchmarks/gaussians25.py [SPEC ...] [--seeds 0 1 2]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from report import print_table
from trainings import last_numbers, train_by_command

TOYS = Path(__file__).parents[1] / "experiments/toys"


def main() -> None:
    """Print one row for each spec and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("specs", nargs="*", type=Path, default=sorted(TOYS.glob("gaussians25-*.yaml")))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    arguments = parser.parse_args()
    rows = []
    for spec in arguments.specs:
        for seed in arguments.seeds:
            words = [str(spec), f"seed={seed}", "tracking.progress=false"]
            with tempfile.TemporaryDirectory() as folder:
                training = train_by_command(f"{spec.name} with seed {seed}", words, Path(folder))
                values = last_numbers(training.run)
            captured = f"{values['modes/captured']:.0f} of {values['modes']:.0f}"
            quality = (f"{values['modes/good']:.2%}", f"{values['modes/kl']:.4f}")
            rows.append((spec.stem, seed, captured, *quality, round(training.seconds), round(training.cpu_seconds)))
    columns = ["spec", "seed", "modes captured", "within 3 deviations", "divergence", "seconds", "CPU seconds"]
    print_table("25 Gaussians in the plane", columns, rows)


if __name__ == "__main__":
    main()
