"""A comparison as text: aligned, Markdown, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence

from ganlab.studies.comparison import Cell, Comparison, Row
from ganlab.studies.numbers import flat, shown


def as_text(table: Comparison) -> str:
    """Aligned, for a terminal; runs stand side by side where the numbers would be too many for its width."""
    cells = [_header(table), *(_cells(table, row) for row in table.rows)]
    forms = [_aligned(cells), _aligned(list(zip(*cells, strict=True)))]
    fitting = [lines for lines in forms if max(map(len, lines)) <= shutil.get_terminal_size().columns]
    lines = (fitting or sorted(forms, key=lambda lines: max(map(len, lines))))[0]
    return "\n".join([*lines, "", *_notes(table)]).rstrip() + "\n"


def as_markdown(table: Comparison) -> str:
    """A Markdown table with its protocols."""
    header = _header(table)
    rules = ["---" if place < 3 else "---:" for place in range(len(header))]
    lines = [f"| {' | '.join(map(_escaped, line))} |" for line in (header, *(_cells(table, row) for row in table.rows))]
    lines.insert(1, f"|{'|'.join(rules)}|")
    return "\n".join([*lines, "", *(f"- {_escaped(note)}" for note in _notes(table))]).rstrip() + "\n"


def as_csv(table: Comparison) -> str:
    """One line a row; each number has columns for its mean, deviation and count."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    parts = ("mean", "deviation", "count")
    writer.writerow(["label", "runs", "seeds", "kimg", *(f"{c.title} {part}" for c in table.columns for part in parts)])
    for row in table.rows:
        numbers: list[object] = []
        for column in table.columns:
            cell = row.cells.get(column)
            numbers += [cell.mean, cell.deviation, len(cell.values)] if cell else [None, None, 0]
        writer.writerow([row.label, len(row.runs), " ".join(map(str, row.seeds)), row.kimg, *numbers])
    return out.getvalue()


def as_json(table: Comparison) -> str:
    """Everything, with the values of each run and the protocols as they were recorded."""
    content = {
        "columns": [
            {"name": c.name, "protocol": c.protocol, "higher_is_better": c.higher_is_better} for c in table.columns
        ],
        "rows": [_row_as_json(table, row) for row in table.rows],
        "protocols": {number: dict(protocol) for number, protocol in enumerate(table.protocols, 1)},
        "settings": {key: list(values) for key, values in table.settings.items()},
        "remarks": list(table.remarks),
    }
    return json.dumps(content, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Comparison], str]] = {
    "terminal": as_text,
    "markdown": as_markdown,
    "csv": as_csv,
    "json": as_json,
}


def cell_text(cell: Cell | None, runs: int) -> str:
    """Mean and deviation, and of how many runs where not all of the row's have the number."""
    if cell is None:
        return "-"
    deviation = "" if cell.deviation is None else f" ± {_deviation(cell.deviation)}"
    return f"{shown(cell.mean)}{deviation}" + (f" (n = {len(cell.values)})" if len(cell.values) != runs else "")


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(f"{c:{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]


def _deviation(value: float) -> str:
    return f"{value:.2g}" if math.isfinite(value) else "not finite"


def _header(table: Comparison) -> list[str]:
    return ["run", "seeds", "kimg", *(column.title for column in table.columns)]


def _cells(table: Comparison, row: Row) -> list[str]:
    numbers = [cell_text(row.cells.get(column), len(row.runs)) for column in table.columns]
    return [row.label, ", ".join(map(str, row.seeds)), row.kimg, *numbers]


def _notes(table: Comparison) -> list[str]:
    """Remarks, the settings in which rows differ, and the protocols."""
    labels = [row.label for row in table.rows]
    settings = [
        f"{key}: " + ", ".join(f"{value} ({label})" for value, label in zip(values, labels, strict=True))
        for key, values in table.settings.items()
        if key not in ("seed", "name")
    ]
    protocols = [
        f"[{number}] " + ", ".join(f"{part} {value}" for part, value in flat(protocol).items())
        for number, protocol in enumerate(table.protocols, 1)
    ]
    spread = ["± is the standard deviation over seeds"] if any(len(row.runs) > 1 for row in table.rows) else []
    return [*(f"note: {remark}" for remark in table.remarks), *spread, *settings, *protocols]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _row_as_json(table: Comparison, row: Row) -> dict[str, object]:
    cells: Sequence[Cell | None] = [row.cells.get(column) for column in table.columns]
    return {
        "label": row.label,
        "runs": [str(run.path) for run in row.runs],
        "seeds": row.seeds,
        "cells": [
            cell
            and {
                "mean": _finite(cell.mean),
                "deviation": None if cell.deviation is None else _finite(cell.deviation),
                "values": [_finite(value) for value in cell.values],
                "kimg": [moment / 1000 for moment in cell.moments],
            }
            for cell in cells
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
