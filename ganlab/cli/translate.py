"""`ganlab translate`: pictures and maps of any size through a trained game that makes images of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ganlab.cli.latent_tools import Checkpoint, Overwrite, RunName


class Background(StrEnum):
    """What shows through transparent pixels."""

    white = "white"
    black = "black"


Side = Annotated[
    int | None,
    typer.Option(min=1, max=65536, help="Bring each picture's larger side to so many pixels; else its own size."),
]
Tile = Annotated[
    int | None,
    typer.Option(min=8, max=65536, help="Translate in tiles of so many pixels, for pictures too large as a whole."),
]
Overlap = Annotated[
    int | None, typer.Option(min=0, help="Pixels over which tiles fade into each other; else a quarter of a tile.")
]
Inputs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=FOLDER",
        help="Files of one more input, with the names of those in FOLDER, or one for all; of numbers 0,1,1 or names.",
    ),
]
Endings = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=TEXT", help="End of the names of an input's files by which several inputs differ."),
]


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("translate")(translate)


def translate(
    run: RunName,
    pictures: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder of pictures or maps, or one file.")],
    options: Annotated[
        list[str] | None, typer.Argument(help="Sampling options of the architecture, such as to=zebras or styles=5.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the translations, PNG files of the pictures' names.")] = Path(
        "translated"
    ),
    label: Annotated[
        str | None,
        typer.Option(help="Class that pictures shall become, by number or name; else one is drawn, if there are any."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise, where a game has any.")] = 0,
    side: Side = None,
    tile: Tile = None,
    overlap: Overlap = None,
    background: Annotated[
        Background | None, typer.Option(help="What shows through transparent pixels; else what they hide.")
    ] = None,
    input: Inputs = None,
    ending: Endings = None,
    checkpoint: Checkpoint = None,
    overwrite: Overwrite = False,
) -> None:
    """Translate pictures or label maps by a run's averaged generator.

    Each is translated in its own size, also one that is larger than those of the training, or other than square.
    """
    if overlap is not None and tile is None:
        raise typer.BadParameter("nothing overlaps without --tile", param_hint="--overlap")
    inputs = _named(input, "--input")
    endings = _named(ending, "--ending")
    from ganlab.evaluation.sampling import choose_device
    from ganlab.latents.translation import Wishes, translate_files
    from ganlab.run.generator_file import open_generator
    from ganlab.spec.sampling import check_sampling, read_assignments

    module = open_generator(run, choose_device(), checkpoint).module
    chosen = check_sampling(type(module), read_assignments(options or []))
    wishes = Wishes(seed, side, tile, overlap, None if background is None else background.value, label, inputs, endings)
    paths = translate_files(module, pictures, out, chosen, wishes, overwrite=overwrite)
    print(f"{len(paths)} pictures in {out}" if len(paths) > 1 else paths[0])


def _named(texts: list[str] | None, option: str) -> dict[str, str]:
    """What `NAME=TEXT` says, by name."""
    found: dict[str, str] = {}
    for text in texts or []:
        name, equals, value = text.partition("=")
        if not (equals and name and value):
            raise typer.BadParameter(f"'{text}' is not NAME=TEXT, such as edges=instances", param_hint=option)
        if name in found:
            raise typer.BadParameter(f"'{name}' is given twice", param_hint=option)
        found[name] = value
    return found
