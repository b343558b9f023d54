"""Picture files that hold the class, or the object, of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlab.facts import MapTable

_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")
_NAMED = 5


class NotClasses(ValueError):
    """A file that does not hold what is asked for: what it holds, and what is allowed, as a part of a sentence."""


def classes_in(picture: Image.Image, table: MapTable) -> NDArray[np.uint8]:
    """The class of each pixel (H, W). Raises `NotClasses` for what is no class."""
    stored = numbers_in(picture) if table.palette is None else _codes(picture)
    known = np.asarray(table.ids if table.palette is None else [_code(*colour) for colour in table.palette])
    order = np.argsort(known)
    places = np.searchsorted(known, stored, sorter=order).clip(max=len(known) - 1)
    found: NDArray[Any] = order[places]
    wrong = known[found] != stored
    if wrong.any() and not table.unknown:
        raise NotClasses(_on_unknown(table, stored, wrong))
    return np.where(wrong, table.classes, found).astype(np.uint8)


def numbers_in(picture: Image.Image) -> NDArray[np.int64]:
    """Stored numbers (H, W), of palettes the places. Raises `NotClasses` for pictures of colours."""
    if picture.mode not in _MODES:
        raise NotClasses(f"it has the mode '{picture.mode}', which holds colours and no numbers of classes or objects")
    return np.asarray(picture).astype(np.int64)


def instance_edges(instances: NDArray[Any]) -> NDArray[np.uint8]:
    """1 where a pixel beside, above or below has another number, else 0, of maps (..., H, W) of numbers.

    Pixels on both sides of a border count (Wang et al., 2018, "pix2pixHD"), so that mirroring changes nothing.
    """
    edges = np.zeros(instances.shape, dtype=bool)
    beside = instances[..., :, 1:] != instances[..., :, :-1]
    below = instances[..., 1:, :] != instances[..., :-1, :]
    edges[..., :, 1:] |= beside
    edges[..., :, :-1] |= beside
    edges[..., 1:, :] |= below
    edges[..., :-1, :] |= below
    return edges.astype(np.uint8)


def _on_unknown(table: MapTable, stored: NDArray[Any], wrong: NDArray[np.bool_]) -> str:
    values = np.unique(stored[wrong])[:_NAMED]
    shown = ", ".join(str(value) if table.palette is None else str(_colour(int(value))) for value in values)
    what = "numbers" if table.palette is None else "colours"
    rows, columns = np.nonzero(wrong)
    return (
        f"{int(wrong.sum())} of its pixels have {what} that mean no class ({shown}; the first in row {rows[0]}, "
        f"column {columns[0]}); those of the {table.classes} classes are {_known(table)}"
    )


def _known(table: MapTable) -> str:
    values: Sequence[object] = table.ids if table.palette is None else [list(colour) for colour in table.palette]
    if table.palette is None and list(table.ids) == list(range(table.ids[0], table.ids[0] + table.classes)):
        return f"{table.ids[0]} to {table.ids[-1]}"
    more = ", ..." if len(values) > _NAMED else ""
    return ", ".join(map(str, values[:_NAMED])) + more


def _codes(picture: Image.Image) -> NDArray[Any]:
    red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB")).astype(np.int64), 2, 0)
    codes: NDArray[Any] = _code(red, green, blue)
    return codes


def _code(red: Any, green: Any, blue: Any) -> Any:
    return (red * 256 + green) * 256 + blue


def _colour(code: int) -> list[int]:
    return [code // 65536, code // 256 % 256, code % 256]
