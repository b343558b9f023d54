"""All commands in one application; command modules import nothing heavy at the top."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

app = typer.Typer(
    name="ganlab",
    help="Define a GAN experiment in one YAML file and run it. Add --traceback to see where an error came from.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_COMMANDS = (
    "new",
    "train",
    "check",
    "show",
    "diff",
    "describe",
    "plan",
    "plugins",
    "sample",
    "translate",
    "animate",
    "interpolate",
    "mix",
    "noise",
    "truncation",
    "project",
    "directions",
    "arithmetic",
    "evaluate",
    "export",
    "push",
    "import_",
    "runs",
    "compare",
    "report",
    "sweep",
    "data",
    "schema",
    "plugin",
)


def _print_versions(wanted: bool) -> None:
    """The platform's version, and those of the distributions that have plugins."""
    if not wanted:
        return
    from importlib.metadata import version
    from platform import python_version

    from ganlab.plugins import installed

    print(f"ganlab {version('ganlab')} (Python {python_version()}, torch {version('torch')})")
    found = {(plugin.distribution, plugin.version) for plugin in installed()}
    for name, number in sorted(found - {("ganlab", version("ganlab"))}):
        print(f"{name} {number}")
    raise typer.Exit


@app.callback()
def _platform(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_versions,
            is_eager=True,
            help="Show the versions of ganlab and of everything that has plugins.",
        ),
    ] = False,
) -> None:
    pass


for _command in _COMMANDS:
    importlib.import_module(f"ganlab.cli.{_command}").register(app)
