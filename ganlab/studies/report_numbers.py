"""The metrics of some runs for their page: table, protocols and curves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ganlab.errors import RunError
from ganlab.studies.comparison import Choice, Column, Comparison, Row, compare, notes_of
from ganlab.studies.comparison_text import cell_text
from ganlab.studies.numbers import Series, differing, flat, is_headline, series_of, shown
from ganlab.studies.record import RunRecord

_NOTHING: dict[str, Any] = {
    "table": {"columns": [], "rows": [], "remarks": [], "spread": False},
    "protocols": [],
    "protocol_rows": [],
    "metrics": [],
}


def metric_parts(records: Sequence[RunRecord]) -> dict[str, Any]:
    """The parts of the page's data that are about metrics; empty ones where nothing was measured."""
    try:
        everything = compare(records, Choice(everything=True))
    except RunError:
        return _NOTHING
    numbers = {(column.name, column.protocol): column for column in everything.columns}
    table = _single_table(records[0], everything) if len(records) == 1 else _table(everything)
    return {
        "table": table,
        "protocols": [{"number": number} for number, _ in enumerate(everything.protocols, 1)],
        "protocol_rows": _protocol_rows(everything.protocols),
        "metrics": _charts(records, everything, numbers),
    }


def _single_table(record: RunRecord, everything: Comparison) -> dict[str, Any]:
    """A row for each number of one run, but for parts of parts: first, best and last."""
    titles = ("number", "first", "best", "at kimg", "last", "at kimg", "protocol")
    columns = [{"title": title, "number": place in (1, 2, 3, 4, 5)} for place, title in enumerate(titles)]
    rows = []
    shown_series = [series for series in series_of(record) if is_headline(series.name)]
    for series in sorted(shown_series, key=lambda each: each.name):
        first, best, last = series.points[0], series.best, series.points[-1]
        rows.append(
            [
                {"text": series.name, "nowrap": True},
                _cell(first.value),
                {**_cell(best.value), "best": True} if best else "-",
                _cell(best.images_seen / 1000) if best else "-",
                _cell(last.value),
                _cell(last.images_seen / 1000),
                f"[{_protocol_number(series, everything)}]",
            ]
        )
    return {"columns": columns, "rows": rows, "remarks": notes_of(shown_series), "spread": False}


def _table(everything: Comparison) -> dict[str, Any]:
    """A row for each spec, as `ganlab compare` has it."""
    shown_columns = [column for column in everything.columns if is_headline(column.name)]
    columns = [{"title": title, "number": False} for title in ("run", "seeds", "kimg")]
    columns += [{"title": column.title, "number": True, "hint": _reading(column)} for column in shown_columns]
    best = {column: _best_row(column, everything.rows) for column in shown_columns}
    rows = [
        [
            {"text": row.label, "nowrap": True},
            ", ".join(map(str, row.seeds)),
            row.kimg,
            *(_table_cell(c, row, best[c]) for c in shown_columns),
        ]
        for row in everything.rows
    ]
    spread = any(len(row.runs) > 1 for row in everything.rows)
    return {"columns": columns, "rows": rows, "remarks": list(everything.remarks), "spread": spread}


def _table_cell(column: Column, row: Row, best: Row | None) -> dict[str, Any]:
    cell = row.cells.get(column)
    value = cell.mean if cell and math.isfinite(cell.mean) else None
    return {"text": cell_text(cell, len(row.runs)), "value": value, "best": row is best}


def _best_row(column: Column, rows: Sequence[Row]) -> Row | None:
    """The row with the best mean, where there is something to choose."""
    having = [row for row in rows if column in row.cells and math.isfinite(row.cells[column].mean)]
    if column.higher_is_better is None or len(having) < 2:
        return None
    return (max if column.higher_is_better else min)(having, key=lambda row: row.cells[column].mean)


def _protocol_rows(protocols: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    each = [flat(protocol) for protocol in protocols]
    differences = set(differing(protocols))
    names = dict.fromkeys(name for parts in each for name in parts)
    return [
        {"name": name, "values": [parts.get(name, "-") for parts in each], "differs": name in differences}
        for name in names
    ]


def _charts(
    records: Sequence[RunRecord], everything: Comparison, numbers: Mapping[tuple[str, int], Column]
) -> list[dict[str, Any]]:
    """A chart for each number and protocol; parts of parts stand apart, folded."""
    curves: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for place, record in enumerate(records):
        for series in series_of(record):
            key = series.name, _protocol_number(series, everything)
            ys = [point.value if math.isfinite(point.value) else None for point in series.points]
            xs = [point.images_seen / 1000 for point in series.points]
            curves.setdefault(key, []).append({"run": place, "x": xs, "y": ys})
    protocols = Counter(name for name, _ in curves)
    charts = [
        {
            "name": name,
            "label": f"{name} [{number}]" if protocols[name] > 1 else name,
            "note": f"[{number}]{_reading(numbers[name, number], ', ')}",
            "curves": lines,
        }
        for (name, number), lines in curves.items()
    ]
    groups = [
        {"title": "", "open": True, "charts": [chart for chart in charts if is_headline(str(chart["name"]))]},
        {"title": "More", "open": False, "charts": [chart for chart in charts if not is_headline(str(chart["name"]))]},
    ]
    return [group for group in groups if group["charts"]]


def _protocol_number(series: Series, everything: Comparison) -> int:
    return next(n for n, each in enumerate(everything.protocols, 1) if flat(each) == flat(series.protocol))


def _reading(column: Column, before: str = "") -> str:
    if column.higher_is_better is None:
        return ""
    return f"{before}{'higher' if column.higher_is_better else 'lower'} is better"


def _cell(value: float) -> dict[str, Any]:
    return {"text": shown(value), "value": value if math.isfinite(value) else None}
