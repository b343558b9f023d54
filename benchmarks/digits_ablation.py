"""Trains the rows of ProGAN's ablation, scaled down to digits, and writes the table with grids of samples.

    python benchmarks/digits_ablation.py [a b g] [--seeds 0 1 2] [--results FOLDER] [--report]

Results are appended to `runs/digits-ablation/results.jsonl`, and what stands there already is not run again, so that
the benchmark may be stopped at any time. At the end it writes `docs/digits-ablation.md`, with the grid of each row's
first seed, from all results; `--report` does only that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from report import describe_machine
from results import keep_result, missing_rows, parse_rows, read_results
from trainings import last_numbers, train_by_command

ROOT = Path(__file__).parents[1]
SPECS = ROOT / "experiments/progressive/digits-ablation"
ROWS = {
    "a": "batch and layer normalisation, full networks from the start, 2 discriminator steps, batch 32",
    "b": "+ progressive growing",
    "c": "+ small minibatch (16)",
    "d": "+ revised training parameters: no normalisation, leaky ReLU, latents on the sphere, 1 discriminator step",
    "e-star": "+ minibatch discrimination",
    "e": "minibatch standard deviation instead",
    "f": "+ equalized learning rate",
    "g": "+ pixelwise normalisation",
}
METRICS = {
    "SWD 16": ("swd/16", ".1f"),
    "SWD 8": ("swd/8", ".1f"),
    "SWD average": ("swd/average", ".1f"),
    "MS-SSIM": ("ms_ssim", ".3f"),
}
INTRODUCTION = """# ProGAN's ablation on digits

Written by `python benchmarks/digits_ablation.py`; do not edit. Each row is a file of
`experiments/progressive/digits-ablation` that extends the one above, as in table 1 of the paper (Karras et al., 2018),
with narrow networks, 16-pixel digits, and {kimg:g} thousand images instead of millions. SWD is times 1000, on both
levels of the pyramid, against all {reals} digits; lower is better. MS-SSIM is that of pairs of samples; the reals have
{reference:.3f}. Numbers are means over seeds {seeds}, with the standard deviation; minutes are CPU time of one core,
start and evaluation included.
"""


def main() -> None:
    """Run what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments = parse_rows(parser, ROWS, ROOT / "runs/digits-ablation")
    arguments.results.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for row, seed in missing_rows(arguments):
        keep_result(train(row, seed, arguments.results), arguments.results)
    write_report(read_results(arguments.results), arguments.results, ROOT / "docs")


def train(row: str, seed: int, results: Path) -> dict[str, Any]:
    """Run one row as a user does; its last metrics, and its last grid as `ROW-SEED.png`."""
    words = [str(SPECS / f"{row}.yaml"), f"seed={seed}", "tracking.progress=false"]
    with tempfile.TemporaryDirectory() as folder:
        training = train_by_command(f"row {row} with seed {seed}", words, Path(folder))
        shutil.copyfile(max(training.run.glob("samples/kimg-*.png")), results / f"{row}-{seed}.png")
        metrics = last_numbers(training.run)
    return {"row": row, "seed": seed, "minutes": training.cpu_seconds / 60, "metrics": metrics}


def write_report(results: Sequence[dict[str, Any]], folder: Path, docs: Path) -> None:
    """Write `digits-ablation.md` and copy the grids beside it."""
    if not results:
        sys.exit("there are no results yet")
    lines = ["| row | | " + " | ".join(METRICS) + " | minutes |", "|---|---|" + "---:|" * (len(METRICS) + 1)]
    grids = []
    for row, title in ROWS.items():
        group = [result for result in results if result["row"] == row]
        if not group:
            continue
        cells = [_spread([run["metrics"][name] for run in group], form) for name, form in METRICS.values()]
        minutes = statistics.mean(run["minutes"] for run in group)
        lines.append(f"| ({_letter(row)}) | {title} | {' | '.join(cells)} | {minutes:.1f} |")
        picture = docs / f"images/digits-ablation-{row}.png"
        shutil.copyfile(folder / f"{row}-{min(run['seed'] for run in group)}.png", picture)
        grids.append(f"({_letter(row)}) {title}\n\n![samples of row {row}]({picture.relative_to(docs)})")
    parts = [_introduction(results), f"Measured on {describe_machine(1)}.", "\n".join(lines), _findings(), *grids]
    (docs / "digits-ablation.md").write_text("\n\n".join(parts) + "\n")


def _introduction(results: Sequence[dict[str, Any]]) -> str:
    from ganlab.build import build_dataset
    from ganlab.spec import read_spec

    spec = read_spec(SPECS / "a.yaml")
    return INTRODUCTION.format(
        kimg=spec.kimg,
        reals=len(build_dataset(spec.data)),
        reference=statistics.mean(result["metrics"]["ms_ssim/reals"] for result in results),
        seeds=", ".join(map(str, sorted({result["seed"] for result in results}))),
    ).strip()


def _findings() -> str:
    return (ROOT / "benchmarks/digits_ablation_findings.md").read_text().strip()


def _letter(row: str) -> str:
    return row.replace("-star", "*")


def _spread(values: Sequence[float], form: str) -> str:
    mean = format(statistics.mean(values), form)
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):{form}}"


if __name__ == "__main__":
    main()
