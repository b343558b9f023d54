"""Samples as files: numbered PNGs, folders of frames, or an array of vectors."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.data.film import FilmKind, check_film, save_film
from ganlab.errors import UserError
from ganlab.evaluation.quantise import for_files
from ganlab.files import write_atomically

_CHANNELS = (1, 3, 4)  # grey, RGB, RGBA


def write_samples(
    pieces: Iterable[Tensor],
    count: int,
    folder: Path,
    facts: DataFacts,
    *,
    overwrite: bool = False,
    film: FilmKind = "gif",
    fps: int = 8,
) -> list[Path]:
    """Write `count` samples in [-1, 1] that arrive in pieces; returns the files.

    Images become `00000.png` ...; sequences `00000/000.png` ..., a file for each frame, and the film `00000.gif`, or
    `00000.mp4`, of `fps` frames a second to look at; vectors `samples.npy`; images that PNG cannot hold (16-bit colour,
    2 or more than 4 channels) `00000.npy` ... as (C, H, W), sequences of these as (T, C, H, W). Raises `UserError`
    before anything is written if a file exists and `overwrite` is not given.
    """
    if facts.frames:
        check_film(film)
    paths = [folder / name for name in _names(count, facts, film)]
    refuse_existing(paths, overwrite)
    quantised = (for_files(piece, facts).cpu() for piece in pieces)
    if not facts.is_images:
        _write_array(torch.cat(list(quantised)).numpy(), paths[0])
        return paths
    samples = (sample for piece in quantised for sample in piece)
    for path, sample in zip(paths, samples, strict=True):
        if path.suffix in (".gif", ".mp4"):
            _write_frames(sample, path, fps)
        else:
            write_image(sample.numpy(), path)
    return paths


def _names(count: int, facts: DataFacts, film: str) -> list[str]:
    if not facts.is_images:
        return ["samples.npy"]
    suffix = (film if facts.frames else "png") if _fits_png(facts) else "npy"
    return [f"{index:05d}.{suffix}" for index in range(count)]


def _fits_png(facts: DataFacts) -> bool:
    return facts.channels in _CHANNELS and (facts.channels == 1 or facts.value_range[1] <= 255)


def _write_frames(sequence: Tensor, path: Path, fps: int) -> None:
    """The frames as they are, which a GIF could not keep, and the film."""
    for number, frame in enumerate(sequence):
        write_image(frame.numpy(), path.with_suffix("") / f"{number:03d}.png")
    save_film(sequence[None], path, fps)


def refuse_existing(paths: list[Path], overwrite: bool) -> None:
    """Raise `UserError` if files exist that are not to be replaced."""
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        others = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise UserError(f"{existing[0]}{others} exists already; choose another --out, or give --overwrite")


def write_image(image: np.ndarray, path: Path) -> None:
    """Write one image (C, H, W) as PNG, or as an array where the path ends in .npy."""
    if path.suffix == ".npy":
        _write_array(image, path)
        return
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    write_atomically(path, lambda temporary: picture.save(temporary, format="PNG"))


def _write_array(array: np.ndarray, path: Path) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a path, numpy would add its own suffix
            np.save(file, array)

    write_atomically(path, write)
