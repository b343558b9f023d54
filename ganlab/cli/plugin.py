"""`ganlab plugin new`: a new plugin distribution from a template."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    commands = typer.Typer(help="Write plugins.", no_args_is_help=True)
    commands.command()(new)
    # With a callback, `new` stays a command of its own although it is the only one.
    commands.callback()(lambda: None)
    app.add_typer(commands, name="plugin")


def new(
    name: Annotated[str, typer.Argument(help="Name of the plugin, as specs will write it.")],
    kind: Annotated[str, typer.Option(help="Kind of the plugin, such as losses or regularizers.")] = "losses",
    out: Annotated[Path | None, typer.Option(help="Folder to write; ganlab-NAME if left out.")] = None,
) -> None:
    """Write a new distribution with a working plugin, its entry point, a README, a test and a spec to train."""
    from ganlab.scaffold import write_distribution, write_spec

    folder = out or Path(f"ganlab-{name.replace('_', '-')}")
    for path in write_distribution(name, kind, folder):
        print(path)
    from ganlab.starter import starter_spec  # late: it imports all that is installed, and a wrong name is told before

    spec = starter_spec(kind, name)
    if spec is not None:
        print(write_spec(name, folder, spec))
    print(f"\nNow: pip install -e '{folder}[test]' && python -m pytest {folder}")
    if spec is None:
        print("No spec was written: nothing that is installed trains with a plugin of this kind.")
    else:
        print(f"Then: ganlab train {folder / name}.yaml")
