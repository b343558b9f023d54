"""Files that hold the class of each pixel, and how their numbers or colours are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ganlab.errors import DataError

_MODES = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")
_NAMED = 5
MOST_CLASSES = 256


@dataclass(frozen=True)
class MapTable:
    """Which stored number or colour means which class.

    Args:
        classes: how many there are.
        ids: the stored number of each class.
        palette: the colour (red, green, blue) of each class, where maps are coloured pictures; None for numbers.
        unknown: whether all else means one further class, the last; otherwise it is an error.
    """

    classes: int
    ids: tuple[int, ...]
    palette: tuple[tuple[int, int, int], ...] | None = None
    unknown: bool = False

    @property
    def count(self) -> int:
        """Classes of the maps, with the unknown one."""
        return self.classes + self.unknown

    def read(self, picture: Image.Image) -> NDArray[np.uint8]:
        """The class of each pixel (H, W). Raises `ValueError` for what is no class."""
        stored = numbers(picture) if self.palette is None else _codes(picture)
        known = np.asarray(self.ids if self.palette is None else [_code(*colour) for colour in self.palette])
        order = np.argsort(known)
        places = np.searchsorted(known, stored, sorter=order).clip(max=len(known) - 1)
        found: NDArray[Any] = order[places]
        wrong = known[found] != stored
        if wrong.any() and not self.unknown:
            raise ValueError(self._on_unknown(stored, wrong))
        return np.where(wrong, self.classes, found).astype(np.uint8)

    def _on_unknown(self, stored: NDArray[Any], wrong: NDArray[np.bool_]) -> str:
        values = np.unique(stored[wrong])[:_NAMED]
        shown = ", ".join(str(value) if self.palette is None else str(_colour(int(value))) for value in values)
        what = "numbers" if self.palette is None else "colours"
        rows, columns = np.nonzero(wrong)
        allowed = f"those of the {self.classes} classes are {self._known()}"
        return (
            f"{int(wrong.sum())} of its pixels have {what} that mean no class ({shown}; the first in row {rows[0]}, "
            f"column {columns[0]}); {allowed}. Correct 'ids' or 'palette', or make them one class more: 'unknown: true'"
        )

    def _known(self) -> str:
        values: Sequence[object] = self.ids if self.palette is None else self.palette
        if self.palette is None and list(self.ids) == list(range(self.ids[0], self.ids[0] + self.classes)):
            return f"{self.ids[0]} to {self.ids[-1]}"
        more = ", ..." if len(values) > _NAMED else ""
        return ", ".join(map(str, values[:_NAMED])) + more


def map_table(
    classes: int,
    first_id: int = 0,
    ids: Sequence[int] | None = None,
    palette: Sequence[tuple[int, int, int]] | None = None,
    unknown: bool = False,
) -> MapTable:
    """The table that options describe. Raises `DataError` for those that contradict each other."""
    if classes + unknown > MOST_CLASSES:
        raise DataError(f"maps have at most {MOST_CLASSES} classes, not {classes + unknown}")
    if palette is not None and (ids is not None or first_id):
        raise DataError("'palette' is about colours, 'ids' and 'first_id' are about numbers: give one of them")
    if ids is not None and first_id:
        raise DataError("'ids' has the number of every class, 'first_id' that of the first: give one of them")
    for name, values in (("ids", ids), ("palette", palette)):
        if values is not None and (len(values) != classes or len(set(map(_hashable, values))) != classes):
            raise DataError(
                f"'{name}' has {len(values)} entries; it needs a different one for each of {classes} classes"
            )
    for colour in palette or ():
        if not all(0 <= part <= 255 for part in colour):
            raise DataError(f"'palette' has colours [red, green, blue] from 0 to 255, not {list(colour)}")
    stored = tuple(ids) if ids is not None else tuple(range(first_id, first_id + classes))
    colours = None if palette is None else tuple((red, green, blue) for red, green, blue in palette)
    return MapTable(classes, stored, colours, unknown)


def numbers(picture: Image.Image) -> NDArray[Any]:
    """Stored numbers (H, W), of palettes the places. Raises `ValueError` for pictures of colours."""
    if picture.mode not in _MODES:
        raise ValueError(
            f"it has the mode '{picture.mode}', which holds colours and no numbers of classes; 'palette' says which "
            "colour means which class"
        )
    return np.asarray(picture).astype(np.int64)


def _codes(picture: Image.Image) -> NDArray[Any]:
    red, green, blue = np.moveaxis(np.asarray(picture.convert("RGB")).astype(np.int64), 2, 0)
    return _code(red, green, blue)


def _code(red: Any, green: Any, blue: Any) -> Any:
    return (red * 256 + green) * 256 + blue


def _colour(code: int) -> list[int]:
    return [code // 65536, code // 256 % 256, code % 256]


def _hashable(value: Any) -> object:
    return value if isinstance(value, int) else tuple(value)
