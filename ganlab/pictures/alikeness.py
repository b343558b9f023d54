"""Pictures of any kind made alike: upright, cut, on a background, of one mode and one size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ganlab.pictures.files import CANNOT, ORIENTATION, TURNED, has_transparency, orientation_of

Box = tuple[int, int, int, int]
Colour = Literal["white", "black"] | tuple[int, int, int]
Fit = Literal["crop", "squeeze", "pad"]
Half = Literal["left", "right"]

FILTERS = {
    name.lower(): Image.Resampling[name] for name in ("LANCZOS", "BICUBIC", "BILINEAR", "HAMMING", "BOX", "NEAREST")
}
"""How pictures are resampled, by name; all but `nearest` average over what a pixel of the result covers."""

_NAMED = {"white": (255, 255, 255), "black": (0, 0, 0)}
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_MAY_SAY_HOW_TURNED = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")
_KEPT_BY_DRAFT = 2.0  # the decoder's own reduction leaves at least so many times the wanted pixels to the filter


@dataclass(frozen=True)
class Preparation:
    """How images are made alike: `channels` and `bits`, and `shape` (height, width).

    Images of another size are refused unless they are to be `resized`: `fit` cuts out the middle, squeezes the whole,
    or pads it. `half` is that of two pictures side by side which is meant, `box` (left, top, right, bottom) the part of
    every image, or half, that is taken before anything else. Where
    the channels have no place for transparency, images are laid on the `background`; without one it is dropped.
    Resampling of 16-bit images does not go beyond `value_range`, unless the image does.
    """

    channels: int
    bits: int
    shape: tuple[int, int]
    resized: bool = True
    fit: Fit = "crop"
    box: Box | None = None
    background: Colour | None = None
    resampling: str = "lanczos"
    value_range: tuple[float, float] = (0.0, 65535.0)
    half: Half | None = None

    @property
    def keeps_transparency(self) -> bool:
        """Whether the images have a place for it."""
        return self.channels in (2, 4)


def make_alike(image: Image.Image, preparation: Preparation) -> Image.Image:
    """An opened picture as wanted, in the mode of its channels or "I;16".

    Raises whatever Pillow raises, or `ValueError`. JPEG files are decoded at a reduced size where that leaves more
    pixels than are wanted.
    """
    if image.mode.startswith("I;16") != (preparation.bits == 16):
        raise ValueError(
            f"it has the mode '{image.mode}', but {preparation.bits} bits are wanted, as the other files have"
        )
    _draft(image, preparation)
    image = _boxed(_halved(_upright(image), preparation.half), preparation.box)
    if preparation.bits == 16:
        return _resized_16_bits(image, preparation)
    if preparation.background is not None and not preparation.keeps_transparency:
        image = on_background(image, preparation.background)
    return _resized(_converted(image, _MODES[preparation.channels]), preparation)


def on_background(image: Image.Image, colour: Colour) -> Image.Image:
    """A picture with its transparency as opaque RGB over a colour; one without transparency is returned as it is."""
    if not has_transparency(image):
        return image
    canvas = Image.new("RGBA", image.size, (*rgb(colour), 255))
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("RGB")


def rgb(colour: Colour) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255. Raises `ValueError` for what is no colour."""
    numbers = _NAMED.get(colour) if isinstance(colour, str) else tuple(colour)
    if numbers is None or len(numbers) != 3 or not all(0 <= number <= 255 for number in numbers):
        raise ValueError(f"a background is white, black or [red, green, blue] from 0 to 255, not {colour!r}")
    return numbers


def planes(image: Image.Image) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(C, H, W), from lines with one channel after the other, which is faster than from pixels."""
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.uint16)[None].copy()
    channels = len(image.getbands())
    mode = image.mode if channels == 1 else f"{image.mode};L"
    lines = np.frombuffer(image.tobytes("raw", mode), np.uint8).reshape(image.height, channels, image.width)
    return np.array(lines.transpose(1, 0, 2), order="C")


def nearest(values: NDArray[Any], preparation: Preparation) -> NDArray[Any]:
    """Whole numbers (H, W) that belong to the pixels of a picture, as `make_alike` changes it, but never mixed.

    Each pixel has the number at its middle. Raises `ValueError` for another size than is wanted where none is changed.
    """
    if preparation.box is not None:
        left, top, right, bottom = preparation.box
        values = values[top:bottom, left:right]
    (height, width), (rows, columns) = preparation.shape, values.shape
    if (rows, columns) == (height, width):
        return values
    if not preparation.resized:
        raise ValueError(f"it has {columns}x{rows} pixels, but the other files {width}x{height}")
    assert preparation.fit != "pad", "what belongs to padded pixels is unknown"
    box = _centre((columns, rows), width, height) if preparation.fit == "crop" else (0.0, 0.0, columns, rows)
    places = [
        np.floor(start + (np.arange(count) + 0.5) * (end - start) / count).astype(int)
        for start, end, count in ((box[1], box[3], height), (box[0], box[2], width))
    ]
    picked: NDArray[Any] = values[np.ix_(*places)]
    return picked


def enlargement(size: tuple[int, int], preparation: Preparation) -> float:
    """By how much the sides of a picture of this size (width, height) grow; below 1 where they shrink."""
    if preparation.half is not None:
        size = (size[0] // 2, size[1])
    if preparation.box is not None:
        left, top, right, bottom = preparation.box
        size = (right - left, bottom - top)
    if not preparation.resized:
        return 1.0
    height, width = preparation.shape
    factors = (width / size[0], height / size[1])
    return min(factors) if preparation.fit == "pad" else max(factors)


def _draft(image: Image.Image, preparation: Preparation) -> None:
    """Let the decoder of a JPEG reduce it by 2, 4 or 8 on the way, which saves most of the work (Pillow's `draft`)."""
    if image.format not in ("JPEG", "MPO") or preparation.box is not None or not preparation.resized:
        return
    height, width = preparation.shape
    if preparation.half is not None:
        width *= 2
    if orientation_of(image) in TURNED:
        height, width = width, height
    least = _KEPT_BY_DRAFT * max(width / image.width, height / image.height)
    image.draft(None, (math.ceil(image.width * least), math.ceil(image.height * least)))  # type: ignore[arg-type]


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF data say, without Pillow's copy of those that stand upright."""
    image.load()
    if image.format == "PNG" and not any(name in image.info for name in _MAY_SAY_HOW_TURNED):
        return image
    return image if image.getexif().get(ORIENTATION, 1) == 1 else ImageOps.exif_transpose(image)


def _halved(image: Image.Image, half: Half | None) -> Image.Image:
    if half is None:
        return image
    if image.width % 2:
        raise ValueError(f"it is {image.width} pixels wide, so that it does not hold two pictures of one size")
    middle = image.width // 2
    left = 0 if half == "left" else middle
    return image.crop((left, 0, left + middle, image.height))


def _boxed(image: Image.Image, box: Box | None) -> Image.Image:
    if box is None:
        return image
    if image.width < box[2] or image.height < box[3]:
        raise ValueError(f"'box' {list(box)} reaches beyond its {image.width}x{image.height} pixels (width x height)")
    return image.crop(box)


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode in ("I", "F"):
        raise ValueError(CANNOT.format(image.mode))
    return image if image.mode == mode else image.convert(mode)


def _resized_16_bits(image: Image.Image, preparation: Preparation) -> Image.Image:
    # Pillow's filters work on bytes and floats alike; a float holds 16 bits exactly.
    stored = np.asarray(image).astype(np.float32)
    resized = _resized(Image.fromarray(stored), preparation)
    low, high = preparation.value_range
    numbers = np.asarray(resized).round().clip(min(low, float(stored.min())), max(high, float(stored.max())))
    return Image.fromarray(numbers.clip(0, 65535).astype(np.uint16))


def _resized(image: Image.Image, preparation: Preparation) -> Image.Image:
    height, width = preparation.shape
    if image.size == (width, height):
        return image
    if not preparation.resized:
        raise ValueError(f"it has {image.width}x{image.height} pixels, but the other files {width}x{height}")
    how = FILTERS[preparation.resampling]
    if preparation.fit == "pad":
        return _padded(image, preparation, how)
    box = _centre(image.size, width, height) if preparation.fit == "crop" else None
    return image.resize((width, height), how, box=box)


def _padded(image: Image.Image, preparation: Preparation, how: Image.Resampling) -> Image.Image:
    """The whole picture in the middle of the background: transparent where there is a place for it, black otherwise."""
    height, width = preparation.shape
    scale = min(width / image.width, height / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    around = Image.new("RGB", (1, 1), rgb(preparation.background or "black"))
    if image.mode == "F":
        canvas = Image.new("F", (width, height), around.convert("L").getpixel((0, 0)) * 257.0)  # type: ignore[operator]
    elif preparation.keeps_transparency:
        canvas = Image.new(image.mode, (width, height))
    else:
        canvas = around.convert(image.mode).resize((width, height))
    canvas.paste(image.resize(inner, how), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return canvas


def _centre(size: tuple[int, int], width: int, height: int) -> tuple[float, float, float, float]:
    """The largest box in the middle that has the proportions of `width` to `height`."""
    scale = min(size[0] / width, size[1] / height)
    left, top = (size[0] - width * scale) / 2, (size[1] - height * scale) / 2
    return left, top, left + width * scale, top + height * scale
