"""Runs in a list: one row of what matters of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from ganlab.studies.numbers import headline_of, series_of, shown
from ganlab.studies.record import RunRecord
from ganlab.studies.state import state_of

COLUMNS = ("run", "state", "kimg", "time", "best", "size")


@dataclass(frozen=True)
class RunRow:
    """A run in a list; `best` has one number of each metric with its value and moment, `size` is in bytes."""

    run: str
    path: str
    state: str
    state_text: str
    kimg: float
    total_kimg: float
    seconds: float
    size: int
    seed: int | None
    best: list[dict[str, Any]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)

    def cells(self) -> tuple[str, ...]:
        """The row as text, in the order of `COLUMNS`."""
        return (
            self.run,
            self.state,
            f"{self.kimg:g}/{self.total_kimg:g}",
            str(timedelta(seconds=round(self.seconds))),
            ", ".join(f"{b['name']} {shown(b['value'])} ({b['kimg']:g})" for b in self.best),
            size_text(self.size),
        )


def row_of(record: RunRecord) -> RunRow:
    """What a run's files tell of it."""
    state = state_of(record)
    return RunRow(
        run=record.name,
        path=str(record.path),
        state=state.word,
        state_text=state.text,
        kimg=record.images_seen / 1000,
        total_kimg=record.total_images / 1000,
        seconds=record.seconds,
        size=record.size,
        seed=record.spec.get("seed"),
        best=best_numbers(record),
    )


def best_numbers(record: RunRecord) -> list[dict[str, Any]]:
    """One number of each metric: its best value with the moment, or its last where no direction is known."""
    found = []
    series = series_of(record)
    for metric in dict.fromkeys(each.metric for each in series):
        chosen = headline_of([each for each in series if each.metric == metric], record.best.get("metric"))
        if chosen is not None and (point := chosen.best or chosen.last):
            found.append({"name": chosen.name, "value": point.value, "kimg": point.images_seen / 1000})
    return found


def table(rows: Sequence[RunRow]) -> list[str]:
    """Aligned lines of text, the names of the columns first."""
    cells = [COLUMNS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(f"{c:{w}}" for c, w in zip(line, widths, strict=True)).rstrip() for line in cells]


def size_text(size: float) -> str:
    """Bytes in words, as in `12.3 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
