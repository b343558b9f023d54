"""`ganlab animate`: films of samples that move by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.interpolate import MovieChoice
from ganlab.cli.latent_tools import Checkpoint, Overwrite, RunName, files_in, open_generator, print_files

_MOST_FRAMES = 10_000


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("animate")(animate)


def animate(
    run: RunName,
    options: Annotated[
        list[str] | None,
        typer.Argument(help="Options of the architecture's films, such as start=2.", metavar="OPTIONS"),
    ] = None,
    frames: Annotated[int, typer.Option(min=1, max=_MOST_FRAMES, help="Frames of the film.")] = 48,
    fps: Annotated[int, typer.Option(min=1, max=60, help="Frames of the film in a second.")] = 12,
    seeds: Annotated[str, typer.Option(help="A row of the film for each of these seeds, as in 1,5,9 or 10-19.")] = "0",
    movie: Annotated[MovieChoice, typer.Option(help="The kind of film.")] = MovieChoice.gif,
    out: Annotated[Path, typer.Option(help="Folder for the film.")] = Path("animation"),
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Write a film of samples that move, of architectures that say how."""
    from ganlab.cli.sample import read_seeds
    from ganlab.latents.animation import animated
    from ganlab.latents.movie import check_movie, save_movie
    from ganlab.spec.sampling import read_assignments

    check_movie(movie.value)
    paths = files_in(out, [f"animation.{movie.value}"], overwrite)
    generator = open_generator(run, checkpoint)
    film = animated(generator, read_seeds(seeds), frames, read_assignments(options or []))
    save_movie(film, paths[0], fps)
    print_files(paths)
