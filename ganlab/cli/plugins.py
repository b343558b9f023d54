"""`ganlab plugins`: what is installed, and the options of one plugin."""

from __future__ import annotations

import shutil
import textwrap
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
    from ganlab.spec.reference import describe_option, options_of, sampling_of

    assert isinstance(plugin, Plugin)
    text, options = options_of(plugin)
    print(f"{plugin.name} ({plugin.kind}), from {plugin.distribution} {plugin.version}\n{plugin.target}\n")
    for paragraph in filter(None, text.split("\n\n")):
        print(f"{_filled(paragraph)}\n")
    print("Options:" if options else "No options.")
    for option in options:
        print(_described(*describe_option(option)))
    for where, sampling in sampling_of(plugin).items():
        print(f"{where.replace('`', '')}:")
        for option in sampling:
            print(_described(*describe_option(option)))


def _described(name: str, words: str, default: str, text: str) -> str:
    """One option on lines that fit the terminal: its name, values and default, and below them what it means."""
    width = _width()
    given = {"": "", "required": "; required"}.get(default, f"; default {default}")
    head = textwrap.wrap(f"{name}: {words}{given}", width, initial_indent="  ", subsequent_indent="      ")
    return "\n".join([*head, *textwrap.wrap(text, width, initial_indent="      ", subsequent_indent="      ")])


def _filled(paragraph: str) -> str:
    """A paragraph as wide as the terminal; lists and examples stay as they are written."""
    written = any(line.startswith((" ", "-", "|")) for line in paragraph.splitlines())
    return paragraph if written else textwrap.fill(paragraph, _width())


def _width() -> int:
    return max(shutil.get_terminal_size().columns, 40)


def _table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
