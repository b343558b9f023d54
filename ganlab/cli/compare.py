"""`ganlab compare`: a table over runs and seeds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How the table is written."""

    terminal = "terminal"
    markdown = "markdown"
    csv = "csv"
    json = "json"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(compare)


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Runs' folders, or names: all runs of each.")],
    at: Annotated[
        str, typer.Option(help="Which evaluation: last, best (that of best.ckpt), or a number of kimg.")
    ] = "last",
    form: Annotated[Format, typer.Option("--format", help="How the table is written.")] = Format.terminal,
    each: Annotated[bool, typer.Option("--each", help="A row for each run, not one for all seeds of a spec.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Parts of parts as well, such as shares of classes.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    root: Annotated[Path, typer.Option("--runs", help="The folder that holds all runs.")] = Path("runs"),
) -> None:
    """Compare the metrics of runs; mean and deviation over the seeds of a spec, a column for each protocol."""
    from ganlab.files import write_text_atomically
    from ganlab.studies.comparison import Choice
    from ganlab.studies.comparison import compare as table_of
    from ganlab.studies.comparison_text import FORMATS
    from ganlab.studies.record import find_runs

    text = FORMATS[form.value](table_of(find_runs(runs, root), Choice(at, each, everything)))
    if out is None:
        print(text, end="")
    else:
        write_text_atomically(out, text)
