"""Trains a small DCGAN on colour pictures by three recipes, with and without labels, and says how its samples spread.

    python benchmarks/colour_diversity.py FOLDER [ROW ...] [--seeds 0 1 2] [--results FOLDER] [--report]

FOLDER has a folder of pictures for each class; pictures of 32 pixels are read fastest. The published table is of
Google's emoji: of the npm package `emoji-datasource-google` 16.0.0, the files `image` of `emoji.json` in folders by
`category`, without `Component`, on white, averaged from 64 to 32 pixels. Results are appended to `results.jsonl`, and
what stands there already is not run again, so that the benchmark may be stopped at any time. At the end it writes
`docs/own-pictures-ablation.md` from all results; `--report` does only that.
"""

from __future__ import annotations

import argparse
import json
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
from trainings import train_by_command

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "benchmarks/colour_diversity.yaml"
_SPECTRAL = [
    "architecture.loss=hinge",
    "architecture.regularizers=[]",
    "architecture.discriminator.normalizer=spectral",
    "optimizers.generator.lr=2e-4",
    "optimizers.discriminator.lr=4e-4",
]
_ADA = ["architecture.augmentation={name: ada, speed_kimg: 100}"]
_WITHOUT = ["data.labels=none"]
_BEFORE = ["architecture.generator.label_length=8"]  # the latents' own length: a deviation of 1 for each number
ROWS: dict[str, tuple[str, Sequence[str]]] = {
    "r1-before": ("R1, labels as long as the latents", _BEFORE),
    "r1": ("R1, labels", ()),
    "r1-without": ("R1, no labels", _WITHOUT),
    "spectral-before": ("hinge and spectral norm, labels as long as the latents", [*_SPECTRAL, *_BEFORE]),
    "spectral": ("hinge and spectral norm, labels", _SPECTRAL),
    "spectral-without": ("hinge and spectral norm, no labels", [*_SPECTRAL, *_WITHOUT]),
    "ada-before": ("R1 and ADA, labels as long as the latents", [*_ADA, *_BEFORE]),
    "ada": ("R1 and ADA, labels", _ADA),
    "ada-without": ("R1 and ADA, no labels", [*_ADA, *_WITHOUT]),
}
SHOWN = ("r1-before", "r1", "r1-without")


def main() -> None:
    """Run what is missing and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, metavar="FOLDER")
    arguments = parse_rows(parser, ROWS, ROOT / "runs/colour-diversity")
    arguments.results.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    for row, seed in missing_rows(arguments):
        keep_result(train(row, seed, arguments.pictures, arguments.results), arguments.results)
    write_report(read_results(arguments.results), arguments.results, ROOT / "docs")


def train(row: str, seed: int, pictures: Path, results: Path) -> dict[str, Any]:
    """Run one row as a user does; the last spread of its samples, and its last grid as `ROW-SEED.png`."""
    words = [str(SPEC), f"seed={seed}", f"data.path={pictures.resolve()}", *ROWS[row][1]]
    with tempfile.TemporaryDirectory() as folder:
        training = train_by_command(f"row {row} with seed {seed}", words, Path(folder))
        shutil.copyfile(max(training.run.glob("samples/kimg-*.png")), results / f"{row}-{seed}.png")
        shutil.copyfile(training.run / "samples/reals.png", results / "reals.png")
        lines = [json.loads(line) for line in (training.run / "log.jsonl").read_text().splitlines()]
    spread = [line for line in lines if "diversity/overall" in line][-1]
    values = {name.removeprefix("diversity/"): value for name, value in spread.items() if "diversity/" in name}
    warned = "look alike" in training.said
    return {"row": row, "seed": seed, "minutes": training.cpu_seconds / 60, "warned": warned, **values}


def write_report(results: Sequence[dict[str, Any]], folder: Path, docs: Path) -> None:
    """Print the table, and write `own-pictures-ablation.md` with grids of the first seed beside it."""
    if not results:
        sys.exit("there are no results yet")
    table = "\n".join(_table(results))
    picture = docs / "images/own-pictures.png"
    _side_by_side([folder / "reals.png", *(folder / f"{row}-0.png" for row in SHOWN)], picture)
    titles = "; ".join(["reals", *(ROWS[row][0] for row in SHOWN)])
    shown = f"From left to right: {titles};\nseed 0, where there are labels a class a row.\n\n![{titles}]"
    shown += f"({picture.relative_to(docs)})"
    findings = (ROOT / "benchmarks/colour_diversity_findings.md").read_text().strip()
    parts = [findings, table, f"Measured on {describe_machine(1)}.", shown]
    (docs / "own-pictures-ablation.md").write_text("\n\n".join(parts) + "\n")
    print(table)


def _table(results: Sequence[dict[str, Any]]) -> list[str]:
    lines = ["| recipe | within classes | overall | warned | minutes |", "|---|---:|---:|---:|---:|"]
    for row, (title, _) in ROWS.items():
        group = [result for result in results if result["row"] == row]
        if group:
            within = _spread([run["within"] for run in group if "within" in run])
            warned = f"{sum(run['warned'] for run in group)} of {len(group)}"
            minutes = statistics.mean(run["minutes"] for run in group)
            overall = _spread([run["overall"] for run in group])
            lines.append(f"| {title} | {within} | {overall} | {warned} | {minutes:.1f} |")
    reals = [run["within_reals"] for run in results if "within_reals" in run]
    if reals:
        lines.append(f"| reals | {reals[0]:.2f} | 1 | | |")
    return lines


def _side_by_side(grids: Sequence[Path], target: Path) -> None:
    """One picture of several, as far as they are there."""
    from PIL import Image

    pictures = [Image.open(path).convert("RGB") for path in grids if path.exists()]
    sheet = Image.new("RGB", (sum(p.width + 16 for p in pictures) - 16, max(p.height for p in pictures)), "white")
    left = 0
    for picture in pictures:
        sheet.paste(picture, (left, 0))
        left += picture.width + 16
    sheet.save(target, optimize=True)


def _spread(values: Sequence[float]) -> str:
    """The values one by one: there are few, and what matters is whether any of them is small."""
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
