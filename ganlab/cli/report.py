"""`ganlab report`: a page about one run or several."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(report)


def report(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN", help="Runs' folders, or names of experiments: the newest run of each."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The file; without it report.html in the run's folder, or here for several runs."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Write it anew while a run goes on; the opened page follows by itself.")
    ] = False,
    every: Annotated[float, typer.Option(min=1, help="With --live: seconds from one writing to the next.")] = 30.0,
    root: Annotated[Path, typer.Option("--runs", help="The folder that holds all runs.")] = Path("runs"),
) -> None:
    """Write one HTML page that needs no network: curves, samples, metrics, specs, events. Prints its path."""
    from ganlab.studies.record import newest_of
    from ganlab.studies.report import follow, usual_place, write_report

    records = newest_of(runs, root)
    path = out or usual_place(records)
    if live:
        print(path, flush=True)
        follow([record.path for record in records], path, every)
        return
    write_report(records, path)
    print(path)
