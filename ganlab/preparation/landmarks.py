"""Points of faces, and pictures cut by them: CelebA's alignment, and the recipe of CelebA-HQ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from ganlab.errors import DataError

Points = NDArray[np.float64]
"""Left eye, right eye, nose, left and right corner of the mouth (5, 2), as x and y in pixels; left in the picture."""

Alignment = Literal["celeba", "celeba-hq"]

CELEBA_SIZE = (178, 218)
"""Width and height of CelebA's aligned pictures."""

_CELEBA_EYES = np.array([[69.5, 111.5], [107.5, 111.5]])  # as in list_landmarks_align_celeba.txt, to about a pixel
_POINTS = 5
_FINER = 4  # CelebA-HQ: sides of what is cut out, in those of the result, before it is averaged
_DEFOCUS = 0.02  # deviation of the blur behind the border, in sides of the square
_FADE = 0.1  # distance from the border at which the blur is complete, in sides of the square
_NUMBERS = 2 * _POINTS


@dataclass(frozen=True)
class Face:
    """A picture's encoded bytes and the points of its face."""

    content: bytes
    points: Points


def read_landmarks(path: Path) -> Mapping[str, Points]:
    """Points by the name of the picture, from a file like CelebA's `list_landmarks_celeba.txt`.

    A line has a name and ten numbers, parted by blanks or commas; a count and a header may go before. Raises
    `DataError` for a file that cannot be read so, with the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"--landmarks '{path}' cannot be read: {error}") from error
    found = {}
    for number, line in enumerate(lines, 1):
        words = line.replace(",", " ").split()
        values = _numbers(words[1:])
        if values is not None:
            found[words[0]] = values
        elif number > 2 and words:
            raise DataError(f"--landmarks '{path}', line {number}: a picture's name and ten numbers are needed")
    if not found:
        raise DataError(f"--landmarks '{path}' has no line with a picture's name and ten numbers")
    return found


def _numbers(words: list[str]) -> Points | None:
    try:
        values = np.array([float(word) for word in words])
    except ValueError:
        return None
    return values.reshape(_POINTS, 2) if len(values) == _NUMBERS and np.isfinite(values).all() else None


def aligned(image: Image.Image, points: Points, alignment: Alignment, side: int) -> Image.Image:
    """The face in its standard place: 178x218 pixels for `celeba`, a square with so many pixels a side otherwise.

    Raises `ValueError` for points that tell no place, such as two eyes in one.
    """
    if alignment == "celeba":
        return _by_the_eyes(image, points)
    return _oriented_square(image, points, side)


def _by_the_eyes(image: Image.Image, points: Points) -> Image.Image:
    """CelebA: turned, scaled and shifted so that the eyes come to their places."""
    eyes = points[:2, 0] + 1j * points[:2, 1]
    places = _CELEBA_EYES[:, 0] + 1j * _CELEBA_EYES[:, 1]
    if abs(eyes[1] - eyes[0]) < 1:
        raise ValueError("the eyes are in one place")
    turn = (eyes[1] - eyes[0]) / (places[1] - places[0])  # a similarity is one complex number and a shift
    shift = eyes[0] - turn * places[0]
    matrix = (turn.real, -turn.imag, shift.real, turn.imag, turn.real, shift.imag)
    smaller, factor = _reduced(image, abs(turn))
    matrix = tuple(value / factor for value in matrix)
    return smaller.transform(CELEBA_SIZE, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def square_of(points: Points) -> tuple[Points, Points, Points]:
    """Centre, and half-sides to the right and downwards, of the square around a face (Karras et al., 2018, C)."""
    left_eye, right_eye, _, left_mouth, right_mouth = points
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    across, up = right_eye - left_eye, eyes - mouth
    centre = eyes - 0.1 * up
    side = max(4.0 * np.hypot(*across), 3.6 * np.hypot(*up))
    right = across + np.array([-up[1], up[0]])  # the line of the eyes, and what is square to that from mouth to eyes
    length = np.hypot(*right)
    if side < 1 or length < 1e-6:
        raise ValueError("the points lie in one place")
    right = right / length * side / 2
    return centre, right, np.array([-right[1], right[0]])


def _oriented_square(image: Image.Image, points: Points, side: int) -> Image.Image:
    """CelebA-HQ: a turned square, of a picture that goes on mirrored and blurred beyond its border."""
    centre, right, down = square_of(points)
    extent = 2 * float(np.hypot(*right))
    image, factor = _reduced(image.convert("RGB"), extent / (_FINER * side))
    centre, right, down, extent = centre / factor, right / factor, down / factor, extent / factor
    corners = np.stack([centre - right - down, centre - right + down, centre + right + down, centre + right - down])
    extended, offset = _extended(image, corners, extent)
    quad = tuple((corners + offset).ravel())
    finer = _FINER * side if extent > side else side
    cut = extended.transform((finer, finer), Image.Transform.QUAD, quad, Image.Resampling.BILINEAR)
    return cut.reduce(finer // side) if finer > side else cut


def _extended(image: Image.Image, corners: Points, extent: float) -> tuple[Image.Image, Points]:
    """The picture with as much around it as the corners need, and where its origin has gone."""
    low = np.maximum(0, np.ceil(-corners.min(axis=0)) + 1).astype(int)
    high = np.maximum(0, np.ceil(corners.max(axis=0) - np.array(image.size)) + 1).astype(int)
    if not low.any() and not high.any():
        return image, np.zeros(2)
    margins = ((int(low[1]), int(high[1])), (int(low[0]), int(high[0])), (0, 0))
    pixels = np.pad(np.asarray(image, dtype=np.float32), margins, mode="symmetric")
    blurred = gaussian_filter(pixels, (_DEFOCUS * extent, _DEFOCUS * extent, 0))
    share = _share_outside(pixels.shape[:2], margins, _FADE * extent)
    mixed = pixels + (blurred - pixels) * share[..., None]
    return Image.fromarray(np.clip(np.rint(mixed), 0, 255).astype(np.uint8)), low.astype(np.float64)


def _share_outside(shape: tuple[int, ...], margins: tuple[tuple[int, int], ...], fade: float) -> NDArray[np.float32]:
    """How much each pixel is blurred: 0 inside of the picture, and from the border on more and more, up to 1."""
    distances = []
    for size, (before, after) in zip(shape, margins[:2], strict=True):
        place = np.arange(size, dtype=np.float32)
        distances.append(np.maximum(0, np.maximum(before - place, place - (size - after - 1))))
    distance = np.hypot(distances[0][:, None], distances[1][None])
    share: NDArray[np.float32] = np.clip(distance / max(1.0, fade), 0, 1).astype(np.float32)
    return share


def _reduced(image: Image.Image, scale: float) -> tuple[Image.Image, int]:
    """The picture averaged to as few pixels as still are enough for one that is `scale` times smaller."""
    factor = max(1, math.floor(scale))
    return (image.reduce(factor), factor) if factor > 1 else (image, 1)
