"""Numbers that change with the images seen, or the rounds played: pure functions, so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeGuard


class Schedulable:
    """Marks a numeric option that may follow a schedule (see `Scheduled`)."""


Scheduled = Annotated[float, Schedulable]
"""A number that may follow a schedule. An object that declares an option so keeps it as an attribute of the
same name and reads that attribute at every call: the platform sets it before each training step."""


@dataclass(frozen=True)
class Schedule:
    """A number as a function of the images seen, or of the rounds played.

    `points` are (moment, value) pairs in ascending order, moments in the unit `of`; `shape` says how to go from one
    to the next: `linear`, `cosine` and `points` interpolate, `steps` jumps at each point. Outside
    the points the nearest value holds.
    """

    shape: str
    points: tuple[tuple[float, float], ...]
    of: Literal["images", "rounds"] = "images"

    def __call__(self, images_seen: float, rounds: float = 0) -> float:
        """The value after so many images and rounds."""
        return self.value(rounds if self.of == "rounds" else images_seen)

    def value(self, moment: float) -> float:
        """The value at a moment in the schedule's own unit."""
        before = self.points[0]
        for after in self.points[1:]:
            if moment < after[0]:
                return self._between(before, after, moment)
            before = after
        return before[1]

    def _between(self, before: tuple[float, float], after: tuple[float, float], moment: float) -> float:
        if self.shape == "steps" or moment <= before[0]:
            return before[1]
        progress = (moment - before[0]) / (after[0] - before[0])
        if self.shape == "cosine":
            progress = (1 - math.cos(math.pi * progress)) / 2
        return before[1] + (after[1] - before[1]) * progress

    def to_node(self) -> dict[str, Any]:
        """The schedule as it is written in a spec."""
        unit = "rounds" if self.of == "rounds" else "kimg"
        if self.shape in _TABLES:
            table: dict[str, Any] = {self.shape: {_written(moment, unit): value for moment, value in self.points}}
            return table | ({"in": unit} if unit != "kimg" else {})
        start, end = self.points
        node: dict[str, Any] = {self.shape: [start[1], end[1]], f"over_{unit}": _written(end[0] - start[0], unit)}
        return node | ({f"from_{unit}": _written(start[0], unit)} if start[0] else {})


_TABLES = ("steps", "points")
SHAPES = ("linear", "cosine", *_TABLES)


def is_schedule(value: object) -> bool:
    """Whether a value of a spec is written as a schedule."""
    return isinstance(value, Mapping) and any(shape in value for shape in SHAPES)


def parse_schedule(node: Mapping[str, Any]) -> Schedule:
    """Read `{linear|cosine: [start, end], over_kimg: N, from_kimg: M}` or `{steps|points: {kimg: value, ...}}`.

    With `over_rounds`, `from_rounds` and `in: rounds` the lengths are rounds of the game and not kimg. Raises
    `ValueError` with a sentence that says what is wrong and what is expected.
    """
    shapes = [shape for shape in SHAPES if shape in node]
    if len(shapes) != 1:
        raise ValueError(f"a schedule has exactly one of {', '.join(SHAPES)}, not {shapes or 'none'}")
    return _parse_table(shapes[0], node) if shapes[0] in _TABLES else _parse_ramp(shapes[0], node)


def _parse_ramp(shape: str, node: Mapping[str, Any]) -> Schedule:
    unit = "rounds" if {"over_rounds", "from_rounds"} & set(node) else "kimg"
    over, since = f"over_{unit}", f"from_{unit}"
    if unit == "rounds" and {"over_kimg", "from_kimg"} & set(node):
        raise ValueError(f"a schedule counts kimg or rounds, not both; give '{over}' and, if you like, '{since}' alone")
    _refuse_unknown(node, {shape, "over_kimg", "from_kimg", "over_rounds", "from_rounds"})
    values = node[shape]
    if not (isinstance(values, list | tuple) and len(values) == 2 and all(map(_is_number, values))):
        raise ValueError(f"'{shape}' takes [start, end], two numbers, not {values!r}")
    length, start = node.get(over), node.get(since, 0)
    if not _is_number(length) or length <= 0:
        raise ValueError(f"'{shape}' needs '{over}', a number above 0, not {length!r}")
    if not _is_number(start) or start < 0:
        raise ValueError(f"'{since}' is a number of at least 0, not {start!r}")
    first, last = _moment(start, unit), _moment(start + length, unit)
    return Schedule(shape, ((first, float(values[0])), (last, float(values[1]))), _UNITS[unit])


def _parse_table(shape: str, node: Mapping[str, Any]) -> Schedule:
    _refuse_unknown(node, {shape, "in"})
    table, unit = node[shape], node.get("in", "kimg")
    if unit not in _UNITS:
        raise ValueError(f"'in' says what the {shape} count: {' or '.join(_UNITS)}, not {unit!r}")
    if not (isinstance(table, Mapping) and all(map(_is_number, [*table.keys(), *table.values()]))):
        raise ValueError(f"'{shape}' takes a mapping of {unit} to value, such as {{0: 0.1, 500: 0.01}}, not {table!r}")
    if 0 not in table or min(table) < 0:
        raise ValueError(f"'{shape}' starts at 0 {unit} and has nothing before")
    points = tuple((_moment(moment, unit), float(table[moment])) for moment in sorted(table))
    return Schedule(shape, points, _UNITS[unit])


_UNITS: Mapping[str, Literal["images", "rounds"]] = {"kimg": "images", "rounds": "rounds"}
"""What a spec counts, and what the schedule that it means is a function of."""


def _moment(written: float, unit: str) -> float:
    # Rounded, as in `_written`, so that a schedule that is written out reads back the same.
    return round(written * 1000.0, 3) if unit == "kimg" else float(written)


def _written(moment: float, unit: str) -> float:
    return round(moment / 1000, 6) if unit == "kimg" else moment


def _refuse_unknown(node: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(set(map(str, node)) - allowed)
    if unknown:
        raise ValueError(f"a schedule has no key '{unknown[0]}'; allowed here: {', '.join(sorted(allowed))}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
