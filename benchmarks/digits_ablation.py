"""Trains the rows of ProGAN's ablation, scaled down to digits, and prints the table.

    python benchmarks/digits_ablation.py [a b g] [KEY=VALUE ...] [--seeds 0 1 2] [--out FOLDER]

SWD is times 1000, on each level of the pyramid and averaged; the mean over the seeds with their standard deviation.
`--out` keeps the last grid of each row's first seed as PNG and the table as `table.md`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from report import print_table

ROWS = Path(__file__).parents[1] / "experiments/progressive/digits-ablation"
VALUES = {"SWD 32": "swd/32", "16": "swd/16", "average": "swd/average", "MS-SSIM": "ms_ssim"}


def train(row: str, seed: int, overrides: Sequence[str], runs: Path, picture: Path | None) -> dict[str, float]:
    """The last metrics of a run and its minutes."""
    command = [sys.executable, "-m", "ganlab", "train", str(ROWS / f"{row}.yaml"), f"seed={seed}", *overrides]
    started = time.perf_counter()
    done = subprocess.run([*command, "tracking.progress=false", "--runs", str(runs)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"row {row} with seed {seed} failed:\n{done.stderr}")
    minutes = (time.perf_counter() - started) / 60
    run = Path(done.stdout.strip().splitlines()[-1])
    if picture is not None:
        shutil.copyfile(max(run.glob("samples/kimg-*.png")), picture)
    values: dict[str, float] = {}
    for line in (run / "metrics.jsonl").read_text().splitlines():
        values |= json.loads(line)
    return values | {"minutes": minutes}


def summary(runs: Sequence[dict[str, float]], name: str, digits: int) -> str:
    """Mean and standard deviation over the seeds."""
    numbers = [run[name] for run in runs]
    spread = f" ± {statistics.stdev(numbers):.{digits}f}" if len(numbers) > 1 else ""
    return f"{statistics.mean(numbers):.{digits}f}{spread}"


def main() -> None:
    """Print one line for each row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arguments", nargs="*", metavar="ROW or KEY=VALUE")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--out", type=Path)
    options = parser.parse_intermixed_args()
    overrides = [argument for argument in options.arguments if "=" in argument]
    rows = [argument for argument in options.arguments if "=" not in argument]
    rows = rows or ["a", "b", "c", "d", "e-star", "e", "f", "g"]
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    table = []
    for row in rows:
        measured = []
        for seed in options.seeds:
            picture = options.out / f"{row}.png" if options.out and seed == options.seeds[0] else None
            with tempfile.TemporaryDirectory() as runs:
                measured.append(train(row, seed, overrides, Path(runs), picture))
            print(f"row {row}, seed {seed}: {measured[-1]['swd/average']:.1f}", file=sys.stderr)
        cells = [summary(measured, name, 3 if name == "ms_ssim" else 1) for name in VALUES.values()]
        table.append([f"({row})", *cells, summary(measured, "minutes", 1)])
    reals = f"reals have an MS-SSIM of {measured[0]['ms_ssim/reals']:.3f}"
    columns = ["row", *VALUES, "minutes"]
    title = f"ProGAN's ablation on digits, {len(options.seeds)} seeds; {reals}"
    print_table(title, columns, table)
    if options.out:
        lines = [" | ".join(map(str, line)) for line in [columns, ["---"] * len(columns), *table]]
        (options.out / "table.md").write_text(f"{title}\n\n" + "".join(f"| {line} |\n" for line in lines))


if __name__ == "__main__":
    main()
