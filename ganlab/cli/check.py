"""`ganlab check`: everything that can be known of specs before training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganlab.spec.model import Spec


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(check)


def check(
    specs: Annotated[
        list[str],
        typer.Argument(metavar="SPEC... [a.b=c ...]", help="Files of specs or sweeps, then overrides of specs."),
    ],
    seconds_per_kimg: Annotated[
        float | None, typer.Option(min=0, help="How long a thousand images take, to tell how long a sweep takes.")
    ] = None,
    runs: Annotated[Path, typer.Option(help="The folder of the runs whose pace tells how long a sweep takes.")] = Path(
        "runs"
    ),
) -> None:
    """Check specs: keys, values, plugins, and whether parts and data fit together. No network is allocated.

    Of a sweep all values are checked, and how many trials and how much time it takes is told.
    """
    from ganlab.cli.sweep import checked
    from ganlab.errors import UserError
    from ganlab.spec import read_spec
    from ganlab.spec.overrides import is_override
    from ganlab.sweeps.file import is_sweep_file

    overrides = [argument for argument in specs if is_override(argument)]
    paths = [argument for argument in specs if not is_override(argument)]
    if not paths:
        raise UserError("name at least one spec file to check")
    failed = False
    for path in paths:
        try:
            if is_sweep_file(path):
                checked(Path(path), runs, seconds_per_kimg)
                continue
            note = _rehearse(read_spec(path, overrides))
        except UserError as error:
            failed = True
            named = str(error).startswith(f"{path}:")
            print(error if named else f"{path}: {error}", file=sys.stderr)
        else:
            print(f"{path}: ok" + (f" (but {note})" if note else ""))
    if failed:
        raise typer.Exit(UserError.exit_code)


def _rehearse(spec: Spec) -> str | None:
    from ganlab.build import rehearse

    return rehearse(spec)
