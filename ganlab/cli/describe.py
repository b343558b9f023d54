"""`ganlab describe`: what an experiment's networks look like."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganlab.description import PlayerDescription


_PIPED_WIDTH = 120


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(describe)


def describe(
    spec: Annotated[str, typer.Argument(help="The spec file, or a run's folder or name.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="Changes to the spec.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Layers, output shapes, parameters and FLOPs per image of each player; nothing is trained or allocated.

    Networks that grow are described as they are at the end of the training.
    """
    from ganlab.run.folder import spec_file
    from ganlab.spec import read_spec

    checked = read_spec(spec_file(spec), overrides or [])
    from ganlab.build import facts_of_data
    from ganlab.description import describe_players
    from ganlab.errors import DataMissing

    facts, missing = facts_of_data(checked)
    if facts is None:
        raise DataMissing(f"{missing}; the spec does not say what the data are like either")
    if missing:
        print(f"ganlab: {missing}; described for the data that the spec expects", file=sys.stderr)
    players = describe_players(checked, facts)
    if as_json:
        print(json.dumps({name: player.as_dict() for name, player in players.items()}, indent=2))
        return
    for name, player in players.items():
        _print_table(name, player)


def _print_table(name: str, player: PlayerDescription) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    with_activations = any(layer.activation for layer in player.layers)
    columns = ["layer", "type", *["activation"][: int(with_activations)], "output shape"]
    for column in columns:
        table.add_column(column, overflow="fold")
    table.add_column("parameters", justify="right")

    def add(layer: str, parameters: int, shape: Sequence[int] = (), kind: str = "", activation: str = "") -> None:
        activations = [activation] if with_activations else []
        table.add_row(layer, kind, *activations, " x ".join(map(str, shape)), f"{parameters:,}" if parameters else "-")

    add("input", 0, player.input_shape)
    for row in player.layers:
        add(row.name, row.parameters, row.output_shape, row.type, row.activation or "-")
    if player.resting:
        add("layers that do not run now", player.resting)
    table.add_section()
    add("all", player.parameters)
    console = Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, highlight=False)
    console.print(f"{name}: {player.parameters:,} trainable parameters, {player.flops:,} FLOPs per image")
    console.print(table)
