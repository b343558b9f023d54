"""Samples as files: numbered PNGs, one grid, or an array of vectors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.data.grid import save_animation, save_grid, save_scatter
from ganlab.errors import UserError
from ganlab.evaluation.quantise import for_files
from ganlab.files import write_atomically

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def write_samples(
    pieces: Iterable[Tensor], count: int, folder: Path, facts: DataFacts, *, grid: bool = False, overwrite: bool = False
) -> list[Path]:
    """Write `count` samples in [-1, 1] that arrive in pieces; returns the files.

    Images become `00000.png` ... or, with `grid`, one `grid.png`; sequences
    `00000.gif` ... or rows of frames in `grid.png`; vectors `samples.npy` or a scatter plot `grid.png`;
    images that PNG cannot hold (16-bit colour, 2 or more than 4 channels) become `00000.npy` ... as (C, H, W). Raises
    `UserError` before anything is written if a file exists and `overwrite` is not given.
    """
    paths = [folder / name for name in _names(count, facts, grid)]
    _refuse_existing(paths, overwrite)
    quantised = (for_files(piece, facts).cpu() for piece in pieces)
    if grid:
        together = torch.cat(list(quantised))
        if facts.frames:
            save_grid(together, paths[0], count, facts.frames)
        elif facts.is_images:
            columns = math.ceil(math.sqrt(count))
            save_grid(together, paths[0], math.ceil(count / columns), columns)
        else:
            save_scatter(together, paths[0])
    elif facts.frames and _fits_png(facts):
        for path, sequence in zip(paths, (sequence for piece in quantised for sequence in piece), strict=True):
            save_animation(sequence[None], path, 1, 1)
    elif facts.is_images:
        images = (image for piece in quantised for image in piece)
        for path, image in zip(paths, images, strict=True):
            _write_image(image.numpy(), path)
    else:
        _write_array(torch.cat(list(quantised)).numpy(), paths[0])
    return paths


def _names(count: int, facts: DataFacts, grid: bool) -> list[str]:
    if grid:
        return ["grid.png"]
    if not facts.is_images:
        return ["samples.npy"]
    suffix = ("gif" if facts.frames else "png") if _fits_png(facts) else "npy"
    return [f"{index:05d}.{suffix}" for index in range(count)]


def _fits_png(facts: DataFacts) -> bool:
    return facts.channels in _MODES and (facts.channels == 1 or facts.value_range[1] <= 255)


def _refuse_existing(paths: list[Path], overwrite: bool) -> None:
    existing = [path for path in paths if path.exists()]
    if existing and not overwrite:
        others = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
        raise UserError(f"{existing[0]}{others} exists already; choose another --out, or give --overwrite")


def _write_image(image: np.ndarray, path: Path) -> None:
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
