"""`ganlab describe`: what an experiment's networks look like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ganlab.description import PlayerDescription


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(describe)


def describe(
    spec: Annotated[Path, typer.Argument(help="The experiment's YAML file.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="Changes to the spec.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Layers, output shapes, parameters and FLOPs per image of each player; nothing is trained or allocated."""
    from ganlab.spec import read_spec

    checked = read_spec(spec, overrides or [])
    from ganlab.build import build_dataset
    from ganlab.description import describe_players

    players = describe_players(checked, build_dataset(checked.data).facts)
    if as_json:
        print(json.dumps({name: player.as_dict() for name, player in players.items()}, indent=2))
        return
    for name, player in players.items():
        _print_table(name, player)


def _print_table(name: str, player: PlayerDescription) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{name}: {player.parameters:,} trainable parameters, {player.flops:,} FLOPs per image")
    table.add_column("layer")
    table.add_column("type")
    table.add_column("output shape")
    table.add_column("parameters", justify="right")
    for layer in player.layers:
        table.add_row(layer.name, layer.type, " x ".join(map(str, layer.output_shape)), f"{layer.parameters:,}")
    Console().print(table)
