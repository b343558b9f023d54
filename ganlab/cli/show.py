"""`ganlab show`: the resolved spec with the origin of each value."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(show)


def show(
    spec: Annotated[str, typer.Argument(help="The spec file, or a run's folder or name.")],
    overrides: Annotated[list[str] | None, typer.Argument(metavar="[a.b=c ...]", help="Overrides.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Without the origins.")] = False,
) -> None:
    """Show a spec with everything that it extends, overrides, presets and defaults, and where each value is from."""
    from ganlab.run.folder import spec_file
    from ganlab.spec import dump, load_spec, resolve_with_origins
    from ganlab.spec.render import annotated

    resolution = resolve_with_origins(load_spec(spec_file(spec), overrides or ()))
    text = dump(resolution.spec) if plain else annotated(resolution.spec, resolution.origin)
    print(text, end="")
