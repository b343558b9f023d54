"""`ganlab check`: everything that can be known of specs before training."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganlab.spec.model import Spec


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(check)


def check(
    specs: Annotated[list[str], typer.Argument(metavar="SPEC... [a.b=c ...]", help="Spec files, then overrides.")],
) -> None:
    """Check specs: keys, values, plugins, and whether parts and data fit together. No network is allocated."""
    from ganlab.errors import UserError
    from ganlab.spec import read_spec
    from ganlab.spec.overrides import is_override

    overrides = [argument for argument in specs if is_override(argument)]
    paths = [argument for argument in specs if not is_override(argument)]
    if not paths:
        raise UserError("name at least one spec file to check")
    failed = False
    for path in paths:
        try:
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
