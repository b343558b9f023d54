"""`ganlab.read_metrics`: what was measured of a run, a row for each number and moment."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

from ganlab.run.folder import DEFAULT_RUNS, open_run
from ganlab.studies.numbers import series_of
from ganlab.studies.record import RunRecord


class MetricRow(TypedDict):
    """One number at one moment.

    `metric` is its name as in `metrics.jsonl`; `protocol` tells what was compared how: numbers of equal protocols may
    be compared. `higher_is_better` is None where that is not known, `value` is not a number where none could be made.
    """

    kimg: float
    metric: str
    value: float
    higher_is_better: bool | None
    protocol: str


def read_metrics(run: str | Path, *, runs: str | Path = DEFAULT_RUNS) -> list[MetricRow]:
    """All numbers that were measured in a run's training and by `ganlab evaluate`, ordered by moment and name.

    `run` is a run's folder, or an experiment's name, of which it is the newest under `runs`. Any library of tables
    takes the rows, as in `pandas.DataFrame(ganlab.read_metrics("quickstart"))`. Raises `RunError` if there is no such
    run.
    """
    record = RunRecord(open_run(run, Path(runs)).path)
    rows = [
        MetricRow(
            kimg=point.images_seen / 1000,
            metric=series.name,
            value=point.value,
            higher_is_better=series.higher_is_better,
            protocol=series.identity,
        )
        for series in series_of(record)
        for point in series.points
    ]
    return sorted(rows, key=lambda row: (row["kimg"], row["metric"], row["protocol"]))
