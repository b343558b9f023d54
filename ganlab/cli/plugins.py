"""`ganlab plugins`: what is installed, and the options of one plugin."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(plugins)


def plugins(
    kind: Annotated[str | None, typer.Argument(help="Only plugins of this kind, such as losses.")] = None,
    name: Annotated[str | None, typer.Argument(help="The plugin whose options to show.")] = None,
) -> None:
    """List installed plugins, or show the options of one."""
    from ganlab.plugins import find, installed, known_kind

    if kind is not None and name is not None:
        _show(find(known_kind(kind), name))
        return
    rows = [(plugin.kind, plugin.name, plugin.distribution, plugin.version) for plugin in installed(kind)]
    _table([("kind", "name", "distribution", "version"), *rows])


def _show(plugin: object) -> None:
    from ganlab.plugins import Plugin
    from ganlab.spec.reference import describe_option, options_of

    assert isinstance(plugin, Plugin)
    text, options = options_of(plugin)
    print(f"{plugin.name} ({plugin.kind}), from {plugin.distribution} {plugin.version}, {plugin.target}\n")
    print(f"{text}\n" if text else "", end="")
    rows = [describe_option(option) for option in options]
    _table([("option", "value", "default", ""), *rows] if rows else [("no options",)])


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
