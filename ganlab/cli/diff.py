"""`ganlab diff`: what differs between two resolved specs."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(diff)


def diff(
    left: Annotated[str, typer.Argument(metavar="A", help="A spec file, or a run's folder or name.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[a.b=c ...]", help="Overrides of both.")] = None,
) -> None:
    """Show the values that differ between two specs or runs: key, both values, and where each is from."""
    from ganlab.run.folder import spec_file
    from ganlab.spec import load_spec, resolve_with_origins
    from ganlab.spec.difference import differences, table

    both = [resolve_with_origins(load_spec(spec_file(path), overrides or ())) for path in (left, right)]
    found = differences(*both)
    print(table(found) if found else "no differences", end="" if found else "\n")
