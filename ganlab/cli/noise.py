"""`ganlab noise`: what the noise of layers does to images."""

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
    app.command("noise")(noise)


def noise(
    run: RunName,
    options: Settings = None,
    seeds: Annotated[str, typer.Option(help=f"What is shown, a row each: {LATENTS}.")] = "0-3",
    draws: Annotated[int, typer.Option(min=2, help="Draws of the noise that the deviation is measured over.")] = 32,
    label: Label = None,
    noise_seed: NoiseSeed = 0,
    out: Annotated[Path, typer.Option(help="Folder for noise.png.")] = Path("noise"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Show images with all noise, none, fine and coarse, and the standard deviation of pixels over the noise."""
    from ganlab.latents.noise import compare_noise

    paths = files_in(out, ["noise.png"], overwrite)
    generator = open_generator(run, checkpoint)
    settings = sampling_settings(options)
    strip = compare_noise(generator, seeds, draws=draws, label=label, noise_seed=noise_seed, options=settings)
    strip.save(paths[0])
    print_files(paths)
