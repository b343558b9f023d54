"""`ganlab truncation`: the same samples at a row of truncations, or of values of another sampling option."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.latent_tools import (
    LATENTS,
    Checkpoint,
    Label,
    NoiseSeed,
    Overwrite,
    RunName,
    Settings,
    files_in,
    open_generator,
    print_files,
    sampling_settings,
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("truncation")(truncation)


def truncation(
    run: RunName,
    options: Settings = None,
    seeds: Annotated[str, typer.Option(help=f"What is shown, a row each: {LATENTS}.")] = "0-7",
    values: Annotated[str, typer.Option(help="Values of the option, a column each.")] = "0,0.25,0.5,0.7,0.85,1",
    option: Annotated[
        str | None, typer.Option(help="A sampling option; by default the one that truncates, psi or truncation.")
    ] = None,
    label: Label = None,
    noise_seed: NoiseSeed = 0,
    out: Annotated[Path, typer.Option(help="Folder for truncation.png.")] = Path("truncation"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Show the same samples at a row of truncations."""
    from ganlab.latents.truncation import compare_values
    from ganlab.spec.yaml_reader import read_yaml

    paths = files_in(out, ["truncation.png"], overwrite)
    generator = open_generator(run, checkpoint)
    chosen = [read_yaml(value, "--values").plain() for value in values.split(",")]
    settings = sampling_settings(options)
    strip = compare_values(
        generator, seeds, chosen, option=option, label=label, noise_seed=noise_seed, options=settings
    )
    strip.save(paths[0])
    print_files(paths)
