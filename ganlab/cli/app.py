"""All commands in one application; command modules import nothing heavy at the top."""

from __future__ import annotations

import importlib

import typer

app = typer.Typer(
    name="ganlab",
    help="Define a GAN experiment in one YAML file and run it. Add --traceback to see where an error came from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

_COMMANDS = (
    "train",
    "check",
    "show",
    "diff",
    "describe",
    "plugins",
    "sample",
    "evaluate",
    "data",
    "schema",
    "plugin",
)

for _command in _COMMANDS:
    importlib.import_module(f"ganlab.cli.{_command}").register(app)
