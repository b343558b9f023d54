"""One picture file: opened safely, what its header says, and whether one can see through it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

Image.init()
# Of odd metadata and of large pictures; what cannot be used is told in sentences of our own, once.
warnings.filterwarnings("ignore", module=r"PIL\.")
# Not: what Pillow only names but cannot decode, and PostScript, for which it runs another program on the file.
_FIRST = ("PNG", "JPEG", "WEBP")  # Pillow tries one format after the other
_FORMATS = [
    *_FIRST,
    *sorted(set(Image.OPEN) - {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF", *_FIRST}),
]
SUFFIXES = frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in _FORMATS)
"""Endings (lower case) of the names of files that can be read."""

ORIENTATION = 0x0112  # EXIF: how the camera was held
TURNED = (5, 6, 7, 8)
CANNOT = "its pixels are '{}' (32-bit numbers), which pictures of 8 or 16 bits cannot hold; use the data set 'arrays'"

_CHANNELS = {"1": 1, "L": 1, "LA": 2, "La": 2, "PA": 4, "RGBA": 4, "RGBa": 4}
_COLOUR = {"RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}
_SEEN_THROUGH = {"LA", "La", "PA", "RGBA", "RGBa"}


@dataclass(frozen=True)
class Header:
    """What a file's header says: mode as Pillow names it, width and height as shown, channels and bits.

    `transparency` tells that there is a place for it, not that any pixel uses it.
    """

    mode: str
    size: tuple[int, int]
    channels: int
    bits: int
    transparency: bool = False

    @property
    def opaque_channels(self) -> int:
        """Channels without that of the transparency."""
        return {2: 1, 4: 3}.get(self.channels, self.channels)


@contextlib.contextmanager
def opened(file: BinaryIO) -> Iterator[Image.Image]:
    """The first picture of a file in any format that is read here. Raises whatever Pillow raises."""
    with Image.open(file, formats=_FORMATS) as image:
        yield image


def read_header(file: BinaryIO) -> Header:
    """The header of a picture. Raises whatever Pillow raises, or `ValueError`."""
    with opened(file) as image:
        return header_of(image)


def header_of(image: Image.Image) -> Header:
    """The header of an opened picture, without decoding its pixels. Raises `ValueError` for 32-bit numbers."""
    width, height = image.size
    if orientation_of(image) in TURNED:
        width, height = height, width
    bits = 16 if image.mode.startswith("I;16") else 8
    return Header(image.mode, (width, height), _channels(image), bits, has_transparency(image))


def orientation_of(image: Image.Image) -> int | None:
    """EXIF's number for how the camera was held, as far as that is known before the pixels are decoded."""
    # Pillow would decode the pixels of a PNG to look for EXIF data behind them.
    if image.format == "PNG" and "exif" not in image.info:
        return None
    orientation: int | None = image.getexif().get(ORIENTATION)
    return orientation


def has_transparency(image: Image.Image) -> bool:
    """Whether the picture has a channel, or a colour, of transparency."""
    return image.mode in _SEEN_THROUGH or ("transparency" in image.info and not image.mode.startswith("I;16"))


def is_transparent(image: Image.Image) -> bool:
    """Whether any pixel of the picture is less than opaque. Decodes it."""
    if not has_transparency(image):
        return False
    if image.mode in ("P", "PA", "1", "L", "RGB"):
        image = image.convert("RGBA")
    lowest, _ = image.getchannel(image.getbands()[-1]).getextrema()
    return bool(lowest < 255)  # type: ignore[operator]


def problem_of(error: Exception) -> str:
    """Why a picture cannot be read, as a part of a sentence; Pillow's decoders raise errors of many kinds."""
    if isinstance(error, UnidentifiedImageError):
        return "it is empty, damaged or not an image"
    reason = str(error) or type(error).__name__
    if isinstance(error, Image.DecompressionBombError):
        return f"it could be a decompression bomb ({reason.split(', could be')[0]}); make it smaller or remove it"
    return reason


def _channels(image: Image.Image) -> int:
    if image.mode.startswith("I;16"):
        return 1
    if image.mode == "P":
        return 4 if "transparency" in image.info else 3
    if image.mode in _COLOUR:
        return 3
    if image.mode in _CHANNELS:
        return _CHANNELS[image.mode]
    raise ValueError(CANNOT.format(image.mode))
