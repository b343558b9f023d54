"""`ganlab data`: the report on a data set; pictures made into one is in `prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ganlab.cli.prepare import prepare

if TYPE_CHECKING:
    from ganlab.data.report import DataReport, InputReport

_CLASSES_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    data = typer.Typer(help="Make a data set of pictures, and look at one before training.", no_args_is_help=True)
    data.command()(check)
    data.command()(prepare)
    data.callback()(_group)
    app.add_typer(data, name="data")


def _group() -> None:
    """Make a data set of pictures, and look at one before training."""


def check(
    spec: Annotated[Path, typer.Argument(help="The spec whose 'data' section is looked at.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[a.b=c ...]", help="Changes to the spec.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for samples.png.")] = Path("data-check"),
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Read all of a data set: count, sizes, modes, values, inputs, classes, duplicates, unreadable files, pictures.

    Ends with exit code 2 if a training could not use the data.
    """
    from ganlab.build import open_dataset
    from ganlab.data.report import report_on
    from ganlab.errors import DataError
    from ganlab.spec import read_spec

    report = report_on(open_dataset(read_spec(spec, overrides or ()).data, cached=False), out)
    if json:
        import json as plain

        typer.echo(plain.dumps(report.as_json(), indent=2))
    else:
        _print(report)
    if report.all_problems:
        raise DataError("\n".join(report.all_problems))


def _print(report: DataReport, title: str = "") -> None:
    from rich.console import Console
    from rich.table import Table

    from ganlab.printable import printable

    table = Table(show_header=False, box=None)
    for name, value in _lines(report):
        table.add_row(printable(name), printable(value))
    console = Console(markup=False, highlight=False)
    if title:
        console.print(f"\n{title}")
    console.print(table)
    for remark in report.remarks:
        console.print(f"note: {remark}", soft_wrap=True)
    for name, domain in report.further.items():
        _print(domain, f"domain {name}{title and f' ({title})'}:")
    if report.held_out:
        _print(report.held_out, f"held out{title and f' ({title})'}:")


def _lines(report: DataReport) -> list[tuple[str, str]]:
    low, high = report.value_range
    lines = [
        ("examples", f"{report.count:,}"),
        ("shape", " x ".join(map(str, report.shape))),
        ("type", ", ".join(report.types)),
        ("files' sizes", _counted(report.sizes)),
        ("files' modes", _counted(report.modes)),
        ("transparent", "" if report.transparent is None else f"{report.transparent:,} of {report.count:,} pictures"),
        ("range", f"{low:g} to {high:g} become -1 to 1"),
        ("values", "{:g} to {:g}".format(*report.values_found) if report.values_found else ""),
        *((name, _input_line(of_input)) for name, of_input in report.inputs.items()),
        ("classes", f"{len(report.classes)}: {_counted(report.classes)}" if report.classes else "none"),
        ("duplicates", str(sum(len(group) - 1 for group in report.duplicates))),
        ("unreadable", str(len(report.unreadable))),
        ("samples", report.samples or ""),
        ("fingerprint", report.fingerprint),
    ]
    return [(name, value) for name, value in lines if value]


def _input_line(report: InputReport) -> str:
    """What one input is, in words."""
    parts = [report.kind]
    parts += [" x ".join(map(str, report.shape))] if report.shape else []
    parts += [f"{report.classes} classes"] if report.classes else []
    parts += ["{:g} to {:g} become -1 to 1".format(*report.value_range)] if report.value_range else []
    parts += ["values {:g} to {:g}".format(*report.values_found)] if report.values_found else []
    return ", ".join(parts)


def _counted(counts: dict[str, int]) -> str:
    shown = ", ".join(f"{name} ({count:,})" for name, count in list(counts.items())[:_CLASSES_SHOWN])
    return shown + (f" and {len(counts) - _CLASSES_SHOWN} more" if len(counts) > _CLASSES_SHOWN else "")
