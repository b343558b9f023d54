"""One image file: what its header says, and its pixels at the wanted size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

Image.init()
# Not: what Pillow only names but cannot decode, and PostScript, for which it runs another program on the file.
_FIRST = ("PNG", "JPEG", "WEBP")  # Pillow tries one format after the other
_FORMATS = [
    *_FIRST,
    *sorted(set(Image.OPEN) - {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF", *_FIRST}),
]
SUFFIXES = frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in _FORMATS)
"""Endings (lower case) of the names of files that can be read."""

Box = tuple[int, int, int, int]

_ORIENTATION = 0x0112  # EXIF: how the camera was held
_TURNED = (5, 6, 7, 8)
_MAY_SAY_HOW_TURNED = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_CHANNELS = {"1": 1, "L": 1, "LA": 2, "La": 2, "PA": 4, "RGBA": 4, "RGBa": 4}
_COLOUR = {"RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}
_CANNOT = "its pixels are '{}' (32-bit numbers), which pictures of 8 or 16 bits cannot hold; use the data set 'arrays'"


@dataclass(frozen=True)
class Header:
    """What a file's header says: mode as Pillow names it, width and height as shown, channels and bits."""

    mode: str
    size: tuple[int, int]
    channels: int
    bits: int


@dataclass(frozen=True)
class Preparation:
    """How images are made alike: `channels` and `bits`, and `shape` (height, width).

    Images of another size are refused unless they are to be `resized`, after `crop`ping to the middle or without.
    `box` (left, top, right, bottom) is the part of every image that is taken before anything else.
    """

    channels: int
    bits: int
    shape: tuple[int, int]
    resized: bool = True
    crop: bool = True
    box: Box | None = None


def read_header(file: BinaryIO) -> Header:
    """The header of an image in any format that Pillow reads. Raises whatever Pillow raises, or `ValueError`."""
    with Image.open(file, formats=_FORMATS) as image:
        width, height = image.size
        if _orientation(image) in _TURNED:
            width, height = height, width
        bits = 16 if image.mode.startswith("I;16") else 8
        return Header(image.mode, (width, height), _channels(image), bits)


def _orientation(image: Image.Image) -> int | None:
    # Pillow would decode the pixels of a PNG to look for EXIF data behind them.
    if image.format == "PNG" and "exif" not in image.info:
        return None
    orientation: int | None = image.getexif().get(_ORIENTATION)
    return orientation


def _channels(image: Image.Image) -> int:
    if image.mode.startswith("I;16"):
        return 1
    if image.mode == "P":
        return 4 if "transparency" in image.info else 3
    if image.mode in _COLOUR:
        return 3
    if image.mode in _CHANNELS:
        return _CHANNELS[image.mode]
    raise ValueError(_CANNOT.format(image.mode))


def read_pixels(file: BinaryIO, preparation: Preparation) -> Tensor:
    """The first picture of a file as (C, H, W), uint8 or uint16. Raises whatever Pillow raises, or `ValueError`.

    Turned as its EXIF data say; cut to the box; converted to the channels (alpha is dropped, not blended, if there is
    no place for it); scaled with Lanczos' antialiasing filter; 16-bit pixels stay 16-bit.
    """
    with Image.open(file, formats=_FORMATS) as opened:
        image = _upright(opened)
        if image.mode.startswith("I;16") != (preparation.bits == 16):
            raise ValueError(f"it has the mode '{image.mode}', but the other files have {preparation.bits} bits")
        image = _boxed(image, preparation.box)
        image = _as_floats(image) if preparation.bits == 16 else _converted(image, _MODES[preparation.channels])
        image = _resized(image, preparation)
    if preparation.bits == 16:
        return torch.from_numpy(np.asarray(image)[None].round().clip(0, 65535).astype(np.uint16))
    return torch.from_numpy(_planes(image))


def _planes(image: Image.Image) -> NDArray[np.uint8]:
    """(C, H, W), from lines with one channel after the other, which is faster than from pixels."""
    channels = len(image.getbands())
    mode = image.mode if channels == 1 else f"{image.mode};L"
    lines = np.frombuffer(image.tobytes("raw", mode), np.uint8).reshape(image.height, channels, image.width)
    return np.array(lines.transpose(1, 0, 2), order="C")


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF data say, without Pillow's copy of those that stand upright."""
    image.load()
    if image.format == "PNG" and not any(name in image.info for name in _MAY_SAY_HOW_TURNED):
        return image
    return image if image.getexif().get(_ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)


def _boxed(image: Image.Image, box: Box | None) -> Image.Image:
    if box is None:
        return image
    if image.width < box[2] or image.height < box[3]:
        raise ValueError(f"'box' {list(box)} reaches beyond its {image.width}x{image.height} pixels (width x height)")
    return image.crop(box)


def _as_floats(image: Image.Image) -> Image.Image:
    # Pillow's filters work on bytes and floats alike; a float holds 16 bits exactly.
    return Image.fromarray(np.asarray(image).astype(np.float32))


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in ("I", "F"):
        raise ValueError(_CANNOT.format(image.mode))
    return image if image.mode == mode else image.convert(mode)


def _resized(image: Image.Image, preparation: Preparation) -> Image.Image:
    height, width = preparation.shape
    if image.size == (width, height):
        return image
    if not preparation.resized:
        raise ValueError(f"it has {image.width}x{image.height} pixels, but the other files {width}x{height}")
    box = _centre(image.size, width, height) if preparation.crop else None
    return image.resize((width, height), Image.Resampling.LANCZOS, box=box)


def _centre(size: tuple[int, int], width: int, height: int) -> tuple[float, float, float, float]:
    """The largest box in the middle that has the proportions of `width` to `height`."""
    scale = min(size[0] / width, size[1] / height)
    left, top = (size[0] - width * scale) / 2, (size[1] - height * scale) / 2
    return left, top, left + width * scale, top + height * scale
