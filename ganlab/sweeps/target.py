"""The values of a sweep's metric, as a run's folder has them."""

from __future__ import annotations

import math
from pathlib import Path

from ganlab.errors import reason
from ganlab.studies.numbers import Point
from ganlab.suggestions import did_you_mean
from ganlab.tracking.jsonl import measured_series, read_records

_METRICS = "metrics/"
_MOMENT = frozenset({"images_seen", "kimg", "seconds"})


class Target:
    """One number by the name that W&B has for it: `metrics/...` is measured, any other one is in the log.

    Reads a run's file again when it has changed.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.measured = name.startswith(_METRICS)
        self.key = name.removeprefix(_METRICS)
        self._seen: tuple[Path, int, int] | None = None
        self._points: list[Point] = []

    def read(self, run: Path) -> list[Point]:
        """All values so far, in the order of images; empty where the file cannot be read."""
        path = self._file(run)
        try:
            status = path.stat()
            state = (path, status.st_mtime_ns, status.st_size)
            if state != self._seen:
                self._points, self._seen = self._read(run), state
        except OSError:
            return []
        return self._points

    def missing(self, run: Path | None) -> str:
        """The sentence about a run that never logged it."""
        try:
            records = read_records(self._file(run)) if run else []
        except OSError as error:
            return f"the metric '{self.name}' cannot be read: {reason(error)}"
        prefix = _METRICS if self.measured else ""
        names = {f"{prefix}{key}" for r in records for key, value in r.items() if isinstance(value, float)}
        names -= {f"{prefix}{key}" for key in _MOMENT}
        listed = f"it logged: {', '.join(sorted(names))}" if names else "it logged none"
        return f"the metric '{self.name}' was never logged; {listed}{did_you_mean(self.name, names)}"

    def _file(self, run: Path) -> Path:
        return run / ("metrics.jsonl" if self.measured else "log.jsonl")

    def _read(self, run: Path) -> list[Point]:
        if self.measured:
            return [Point(*pair) for pair in measured_series(run, self.key)]
        records = [record for record in read_records(run / "log.jsonl") if self.key in record]
        values = [(record["images_seen"], record[self.key]) for record in records]
        return [Point(moment, math.nan if value is None else float(value)) for moment, value in values]
