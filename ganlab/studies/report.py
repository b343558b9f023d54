"""The page of one run or of several: what `ganlab report` writes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from ganlab.errors import RunError, reason
from ganlab.studies.page import write_page
from ganlab.studies.record import RunRecord
from ganlab.studies.report_data import report_data
from ganlab.studies.state import state_of

NAME = "report.html"


def write_report(records: Sequence[RunRecord], path: Path, live: float | None = None) -> None:
    """Write the page of some runs; with `live` it loads itself anew after so many seconds.

    Raises `RunError` if it cannot be written.
    """
    data = report_data(records, path.resolve().parent, live)
    try:
        write_page(path, data["title"], data, "report")
    except OSError as error:
        raise RunError(f"the report {path} cannot be written: {reason(error)}") from error


def follow(folders: Sequence[Path], path: Path, every: float) -> None:
    """Write the page again and again until none of the runs is running any more."""
    while True:
        records = [RunRecord(folder) for folder in folders]  # what is read of a record is kept in it
        running = any(state_of(record).word == "running" for record in records)
        write_report(records, path, every if running else None)
        if not running:
            return
        time.sleep(every)


def usual_place(records: Sequence[RunRecord]) -> Path:
    """`report.html` in the folder of the one run, or in the current folder."""
    return records[0].path / NAME if len(records) == 1 else Path(NAME)
