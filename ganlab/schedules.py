"""Numbers that change with the images seen: pure functions, so that resuming needs no state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeGuard


class Schedulable:
    """Marks a numeric option that may follow a schedule (see `Scheduled`)."""


Scheduled = Annotated[float, Schedulable]
"""A number that may follow a schedule. An object that declares an option so keeps it as an attribute of the
same name and reads that attribute at every call: the platform sets it before each training step."""


@dataclass(frozen=True)
class Schedule:
    """A number as a function of the images seen.

    `points` are (images, value) pairs in ascending order; `shape` says how to go from one to the next:
    `linear` and `cosine` interpolate, `steps` jumps at each point. Outside the points the nearest value holds.
    """

    shape: str
    points: tuple[tuple[float, float], ...]

    def __call__(self, images_seen: float) -> float:
        """The value at `images_seen`."""
        before = self.points[0]
        for after in self.points[1:]:
            if images_seen < after[0]:
                return self._between(before, after, images_seen)
            before = after
        return before[1]

    def _between(self, before: tuple[float, float], after: tuple[float, float], images_seen: float) -> float:
        if self.shape == "steps" or images_seen <= before[0]:
            return before[1]
        progress = (images_seen - before[0]) / (after[0] - before[0])
        if self.shape == "cosine":
            progress = (1 - math.cos(math.pi * progress)) / 2
        return before[1] + (after[1] - before[1]) * progress

    def to_node(self) -> dict[str, Any]:
        """The schedule as it is written in a spec."""
        if self.shape == "steps":
            return {"steps": {_kimg(images): value for images, value in self.points}}
        start, end = self.points
        node: dict[str, Any] = {self.shape: [start[1], end[1]], "over_kimg": _kimg(end[0] - start[0])}
        return node | ({"from_kimg": _kimg(start[0])} if start[0] else {})


SHAPES = ("linear", "cosine", "steps")


def is_schedule(value: object) -> bool:
    """Whether a value of a spec is written as a schedule."""
    return isinstance(value, Mapping) and any(shape in value for shape in SHAPES)


def parse_schedule(node: Mapping[str, Any]) -> Schedule:
    """Read `{linear|cosine: [start, end], over_kimg: N, from_kimg: M}` or `{steps: {kimg: value, ...}}`.

    Raises `ValueError` with a sentence that says what is wrong and what is expected.
    """
    shapes = [shape for shape in SHAPES if shape in node]
    if len(shapes) != 1:
        raise ValueError(f"a schedule has exactly one of {', '.join(SHAPES)}, not {shapes or 'none'}")
    return _parse_steps(node) if shapes == ["steps"] else _parse_ramp(shapes[0], node)


def _parse_ramp(shape: str, node: Mapping[str, Any]) -> Schedule:
    _refuse_unknown(node, {shape, "over_kimg", "from_kimg"})
    values = node[shape]
    if not (isinstance(values, list | tuple) and len(values) == 2 and all(map(_is_number, values))):
        raise ValueError(f"'{shape}' takes [start, end], two numbers, not {values!r}")
    length, start = node.get("over_kimg"), node.get("from_kimg", 0)
    if not _is_number(length) or length <= 0:
        raise ValueError(f"'{shape}' needs 'over_kimg', a number above 0, not {length!r}")
    if not _is_number(start) or start < 0:
        raise ValueError(f"'from_kimg' is a number of at least 0, not {start!r}")
    first, last = _images(start), _images(start + length)
    return Schedule(shape, ((first, float(values[0])), (last, float(values[1]))))


def _parse_steps(node: Mapping[str, Any]) -> Schedule:
    _refuse_unknown(node, {"steps"})
    steps = node["steps"]
    if not (isinstance(steps, Mapping) and all(map(_is_number, [*steps.keys(), *steps.values()]))):
        raise ValueError(f"'steps' takes a mapping of kimg to value, such as {{0: 0.1, 500: 0.01}}, not {steps!r}")
    if 0 not in steps or min(steps) < 0:
        raise ValueError("'steps' starts at kimg 0 and has no negative kimg")
    return Schedule("steps", tuple((_images(kimg), float(steps[kimg])) for kimg in sorted(steps)))


def _images(kimg: float) -> float:
    # Rounded, as `_kimg`, so that a schedule that is written out reads back the same.
    return round(kimg * 1000.0, 3)


def _kimg(images: float) -> float:
    return round(images / 1000, 6)


def _refuse_unknown(node: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(set(map(str, node)) - allowed)
    if unknown:
        raise ValueError(f"a schedule has no key '{unknown[0]}'; allowed here: {', '.join(sorted(allowed))}")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
