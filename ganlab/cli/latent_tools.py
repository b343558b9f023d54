"""What the commands share that show what a trained generator can do: arguments, the generator, the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ganlab.evaluation.trained_generator import TrainedGenerator

RunName = Annotated[
    str,
    typer.Argument(
        help="A run's folder, an experiment's name (its newest run), a generator.safetensors, or its folder."
    ),
]
Settings = Annotated[
    list[str] | None, typer.Argument(help="Sampling options of the architecture, such as psi=0.7.", metavar="OPTIONS")
]
LATENTS = (
    "seeds, as in 1,5 or 10-19, with a class as in 3:0, 3:0-9 or 3:*, files of points (.npz), or, for games with an "
    "encoder, pictures"
)
Label = Annotated[
    str | None, typer.Option(help="Class of the seeds that name none, by number or name; else one that is drawn.")
]
NoiseSeed = Annotated[int, typer.Option(min=0, help="All images have the noise of this seed's first sample.")]
Checkpoint = Annotated[str | None, typer.Option(help="A checkpoint's file, its kimg, or best; without it the newest.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")]


def open_generator(run: str, checkpoint: str | None) -> TrainedGenerator:
    """The averaged generator of a run."""
    from ganlab.exchange.load import load

    return load(run, checkpoint=checkpoint)


def sampling_settings(texts: Sequence[str] | None) -> dict[str, Any]:
    """Sampling options as they are written, `psi=0.7`."""
    from ganlab.spec.sampling import read_assignments

    return read_assignments(texts or [])


def files_in(out: Path, names: Sequence[str], overwrite: bool) -> list[Path]:
    """The files of these names in a folder. Raises `UserError` if one exists and is not to be replaced."""
    from ganlab.evaluation.sample_files import refuse_existing

    paths = [out / name for name in names]
    refuse_existing(paths, overwrite)
    return paths


def numbers_of(text: str, option: str) -> list[float]:
    """Numbers such as `-1,0,0.5`. Raises `UserError`."""
    from ganlab.errors import UserError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"{option} takes numbers, such as -1,0,0.5, not '{text}'") from None


def print_files(paths: Sequence[Path]) -> None:
    """The files that were written, one a line."""
    for path in paths:
        print(path)
