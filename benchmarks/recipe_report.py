"""The page and the pictures that `recipes.py` writes from its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_CELL = 256  # pixels of a grid's side on the page
_GAP = 12

Result = Mapping[str, Any]


def write_report(
    results: Sequence[Result], sets: Mapping[str, str], recipes: Mapping[str, str], folder: Path, machine: str
) -> None:
    """Write `docs/recipes.md` with a table and a picture for each set and size that there are results of."""
    parts = [(ROOT / "benchmarks/recipes_findings.md").read_text().strip(), f"Measured on {machine}."]
    for name, title in sets.items():
        for size in sorted({row["size"] for row in results if row["set"] == name}):
            rows = [row for row in results if (row["set"], row["size"]) == (name, size)]
            shown = [recipe for recipe in recipes if any(row["recipe"] == recipe for row in rows)]
            picture = DOCS / f"images/recipes-{name}-{size}.png"
            _side_by_side([folder / f"{name}-{size}-{recipe}-0.png" for recipe in shown], picture)
            order = "; ".join(recipes[recipe] for recipe in shown)
            parts += [f"## {title}, {size} pixels", _table(rows, recipes, shown)]
            parts += [f"From left to right: {order}.\n\n![{title}, {size} pixels]({picture.relative_to(DOCS)})"]
    (DOCS / "recipes.md").write_text("\n\n".join(parts) + "\n")


def _table(rows: Sequence[Result], recipes: Mapping[str, str], shown: Sequence[str]) -> str:
    lines = [
        "| recipe | kimg | SWD | feature distance | spread within classes | overall |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for recipe in shown:
        runs = [row for row in rows if row["recipe"] == recipe]
        cells = [_mean(runs, name, digits) for name, digits in COLUMNS.items()]
        lines.append(f"| {recipes[recipe]} | {' | '.join(cells)} |")
    return "\n".join(lines)


COLUMNS = {"kimg": 1, "swd": 1, "distance": 2, "within": 2, "overall": 2}


def _mean(runs: Sequence[Result], name: str, digits: int) -> str:
    """The mean over seeds; nothing where reals have no such number."""
    values = [run[name] for run in runs if name in run]
    return f"{mean(values):.{digits}f}" if values else ""


def _side_by_side(grids: Sequence[Path], target: Path) -> None:
    """Grids beside each other, small ones enlarged pixel by pixel."""
    sheet = Image.new("RGB", (len(grids) * (_CELL + _GAP) - _GAP, _CELL), "white")
    for place, path in enumerate(grids):
        grid = Image.open(path).convert("RGB")
        cut = grid.crop((0, 0, min(grid.width, _CELL), min(grid.height, _CELL)))
        sheet.paste(cut.resize((_CELL, _CELL), Image.Resampling.NEAREST), (place * (_CELL + _GAP), 0))
    sheet.save(target)
