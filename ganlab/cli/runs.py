"""`ganlab runs`: what runs there are, what is known of one, and how they are removed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ganlab.studies.record import RunRecord

_INDENT = 14  # of what is told of a run; more where a metric has a longer name
_Root = Annotated[Path, typer.Option("--runs", help="The folder that holds all runs.")]
_Json = Annotated[bool, typer.Option("--json", help="Print records.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    runs = typer.Typer(help="List runs, show one, remove some.", invoke_without_command=True)
    runs.callback()(list_runs)
    runs.command()(show)
    runs.command()(rm)
    app.add_typer(runs, name="runs")


def list_runs(
    context: typer.Context,
    root: _Root = Path("runs"),
    name: Annotated[str | None, typer.Option(help="Only runs of this experiment.")] = None,
    as_json: _Json = False,
) -> None:
    """List runs: state, kimg, time of training, one number of each metric at its best (and its kimg), and size."""
    if context.invoked_subcommand is not None:
        return
    from ganlab.studies.record import all_runs, find_runs, readable
    from ganlab.studies.run_list import row_of, table

    records, problems = readable(find_runs([name], root) if name else all_runs(root))
    for problem in problems:
        print(f"ganlab: left out: {problem}", file=sys.stderr)
    rows = [row_of(record) for record in records]
    if as_json:
        _print_json([row.as_json() for row in rows])
    elif rows:
        print("\n".join(table(rows)))
    else:
        print(f"there is no run under {root.resolve()}")


def show(
    run: Annotated[str, typer.Argument(help="A run's folder, or the name of an experiment: its newest run.")],
    root: _Root = Path("runs"),
    as_json: _Json = False,
) -> None:
    """Show one run: state, numbers, checkpoints, and what happened."""
    from ganlab.studies.record import newest_of
    from ganlab.studies.run_list import row_of

    (record,) = newest_of([run], root)
    row = row_of(record)
    if as_json:
        _print_json({**row.as_json(), "provenance": record.provenance, "events": list(record.events)})
        return
    lines = _lines(record)
    width = max(_INDENT, *(len(name) for name, _ in lines))
    for name, text in lines:
        print(f"{name:{width}s} {text}")


def rm(
    runs: Annotated[list[str], typer.Argument(help="Runs' folders, or names of experiments: all their runs.")],
    root: _Root = Path("runs"),
    keep: Annotated[
        list[str] | None,
        typer.Option(help="What stays: one of these runs, or a file of each, as in --keep generator.safetensors."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove runs, after asking; never one that is being trained."""
    from ganlab.studies.record import find_runs
    from ganlab.studies.removal import plan_removal
    from ganlab.studies.run_list import size_text

    removal = plan_removal(find_runs(runs, root), keep or [])
    if not removal.runs:
        print("nothing is left to remove")
        return
    for record in removal.runs:
        print(f"{record.path}  {size_text(record.size)}")
    but = f", but keep {', '.join(removal.kept)}" if removal.kept else ""
    if not yes and not typer.confirm(f"Remove {_counted(len(removal.runs))}{but}?"):
        raise typer.Exit(1)
    removal.carry_out()


def _counted(runs: int) -> str:
    return "this run" if runs == 1 else f"these {runs} runs"


def _lines(record: RunRecord) -> list[tuple[str, str]]:
    from ganlab.run.folder import Run
    from ganlab.studies.numbers import Series, differing, is_headline, series_of, shown
    from ganlab.studies.run_list import row_of, size_text
    from ganlab.studies.state import state_of

    row, state = row_of(record), state_of(record)
    lines = [
        ("run", str(record.path)),
        ("state", f"{state.word}: {state.text}"),
        ("time", row.cells()[3]),
        ("size", size_text(row.size)),
        ("started", str(record.provenance.get("started", "-"))),
        ("command", " ".join(record.provenance.get("command", []))),
    ]
    first: dict[str, Series] = {}  # of each name
    for series in series_of(record):
        if is_headline(series.name) and series.last:
            points = {"last": series.last, **({"best": series.best} if series.best else {})}
            told = [f"{name} {shown(p.value)} at {p.images_seen / 1000:g} kimg" for name, p in points.items()]
            if series.name in first:
                others = differing([first[series.name].protocol, series.protocol])
                told.append(f"by another protocol ({', '.join(others)})")
            first.setdefault(series.name, series)
            lines.append((series.name, ", ".join(told)))
    for path in sorted(Run(record.path).checkpoints.glob("*.ckpt")):
        lines.append(("checkpoint", f"{path.name}  {size_text(path.stat().st_size)}"))
    lines += [("event", f"{e['kimg']:g} kimg: {e.get('kind')}: {e.get('text')}") for e in record.events]
    return lines


def _print_json(content: Any) -> None:
    import json

    print(json.dumps(content, indent=2))
