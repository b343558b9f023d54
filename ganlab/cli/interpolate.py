"""`ganlab interpolate`: images on the way from some latents to others."""

from __future__ import annotations

from enum import StrEnum
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


class SpaceChoice(StrEnum):
    """Where the way leads through."""

    z = "z"
    w = "w"


Space = Annotated[SpaceChoice | None, typer.Option(help="Latents or styles; by default w for generators with styles.")]


class PathChoice(StrEnum):
    """What the way is between two points."""

    circle = "circle"
    line = "line"


class MovieChoice(StrEnum):
    """Kinds of films."""

    gif = "gif"
    mp4 = "mp4"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("interpolate")(interpolate)


def interpolate(
    run: RunName,
    options: Settings = None,
    between: Annotated[
        list[str] | None, typer.Option(help=f"Where a way leads through: {LATENTS}. Give it again for another row.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1, help="Images of the strip from a point to the next.")] = 8,
    space: Space = None,
    path: Annotated[
        PathChoice | None, typer.Option(help="By default great circles in z and straight lines in w.")
    ] = None,
    label: Label = None,
    loop: Annotated[bool, typer.Option("--loop", help="Return to the first point.")] = False,
    movie: Annotated[MovieChoice | None, typer.Option(help="Write a film as well.")] = None,
    frames: Annotated[int, typer.Option(min=1, help="Frames of the film from a point to the next.")] = 24,
    fps: Annotated[int, typer.Option(min=1, max=60, help="Frames of the film in a second.")] = 12,
    noise_seed: NoiseSeed = 0,
    out: Annotated[Path, typer.Option(help="Folder for strip.png and the film.")] = Path("interpolation"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Show images on the way between latents, classes or styles, as a strip and as a film."""
    if not between:
        raise typer.BadParameter("name the points of a way, as in --between 1,5,9", param_hint="--between")
    from ganlab.latents import interpolation
    from ganlab.latents.movie import check_movie, save_movie

    if movie:
        check_movie(movie.value)
    names = ["strip.png", *([f"walk.{movie.value}"] if movie else [])]
    paths = files_in(out, names, overwrite)
    generator = open_generator(run, checkpoint)
    settings = {
        "space": space and space.value,
        "path": path and path.value,
        "label": label,
        "loop": loop,
        "noise_seed": noise_seed,
        "options": sampling_settings(options),
    }
    interpolation.interpolate(generator, between, steps=steps, **settings).save(paths[0])  # type: ignore[arg-type]
    if movie:
        film = interpolation.interpolate(generator, between, steps=frames, **settings)  # type: ignore[arg-type]
        save_movie(film.images, paths[1], fps)
    print_files(paths)
