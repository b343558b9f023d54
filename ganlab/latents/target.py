"""A picture from a file, as a generator would make it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganlab.errors import UserError, reason
from ganlab.facts import DataFacts

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def read_target(path: str | Path, facts: DataFacts) -> Tensor:
    """The picture (1, C, H, W) in [-1, 1], with the channels and the size of the data.

    Its middle is taken where its sides have another ratio. Raises `UserError` for a file that is no picture.
    """
    if facts.channels not in _MODES:
        raise UserError(f"the generator makes images of {facts.channels} channels, and a file's picture has 1 to 4")
    height, width = facts.image_shape[1:]
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            picture = _in_eight_bits(picture).convert(_MODES[facts.channels])
    except (OSError, UnidentifiedImageError) as error:
        raise UserError(f"{path} cannot be read as a picture: {reason(error)}") from error
    fitted = _middle(picture, width / height).resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(fitted, dtype=np.float32).reshape(height, width, facts.channels) / 127.5 - 1
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].to(torch.get_default_dtype())


def _middle(picture: Image.Image, ratio: float) -> Image.Image:
    """The largest part around the middle whose width is so many times its height."""
    width = min(picture.width, max(1, round(picture.height * ratio)))
    height = min(picture.height, max(1, round(picture.width / ratio)))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _in_eight_bits(picture: Image.Image) -> Image.Image:
    """Grey pictures of 16 bits would be cut off at 255 otherwise."""
    if not picture.mode.startswith("I"):
        return picture
    return Image.fromarray((np.asarray(picture, dtype=np.float32) / 257).round().clip(0, 255).astype(np.uint8))
