"""Options that say which stored number or colour means which class of a map."""

from __future__ import annotations

from collections.abc import Sequence

from ganlab.errors import DataError
from ganlab.facts import MapTable

MOST_CLASSES = 256


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


def _hashable(value: object) -> object:
    return value if isinstance(value, int) else tuple(value)  # type: ignore[arg-type]
