"""`ganlab mix`: images with some layers' styles of others."""

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
    app.command("mix")(mix)


def mix(
    run: RunName,
    options: Settings = None,
    rows: Annotated[str, typer.Option(help=f"Images at the left: {LATENTS}.")] = "0-3",
    columns: Annotated[str, typer.Option(help="Images above, which give the styles.")] = "4-8",
    layers: Annotated[
        list[str] | None,
        typer.Option(
            help="Layers whose styles come from above: coarse, middle, fine, or numbers from 0, as in 0-3. Give it "
            "again for another picture; by default there are three, one of each group."
        ),
    ] = None,
    label: Label = None,
    noise_seed: NoiseSeed = 0,
    out: Annotated[Path, typer.Option(help="Folder for coarse.png and so on.")] = Path("mixing"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Mix styles: a grid of the images at the left with some layers' styles of those above."""
    from ganlab.latents import mixing

    wanted = layers or list(mixing.GROUPS)
    paths = files_in(out, [f"{part}.png" for part in wanted], overwrite)
    generator = open_generator(run, checkpoint)
    settings = sampling_settings(options)
    for part, path in zip(wanted, paths, strict=True):
        grid = mixing.mix(generator, rows, columns, part, label=label, noise_seed=noise_seed, options=settings)
        grid.save(path)
    print_files(paths)
