"""The terms of a training over time, thinned to what a picture can show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

SYSTEM = ("images_per_second", "memory_mib")
"""Scalars of the log that tell of the machine."""

_NO_SCALARS = frozenset({"images_seen", "kimg", "seconds"})
_DIGITS = 5

Curve = tuple[list[float], list[float | None]]
"""Moments in kimg, and values; None where a value was not finite."""


def curves_of(log: Sequence[Mapping[str, Any]], points: int) -> dict[str, Curve]:
    """The scalars of a log by name, none of more than so many points: a point is the mean of consecutive lines.

    A point that has a value in it that was not finite is None.
    """
    found: dict[str, Curve] = {}
    for line in log:
        for name, value in line.items():
            if name not in _NO_SCALARS and (value is None or isinstance(value, float | int)):
                xs, ys = found.setdefault(name, ([], []))
                xs.append(line["kimg"])
                ys.append(None if value is None else float(value))
    return {name: thinned(curve, points) for name, curve in found.items()}


def thinned(curve: Curve, points: int) -> Curve:
    """At most so many points, each the mean of as many consecutive ones."""
    xs, ys = curve
    size = max(1, math.ceil(len(xs) / points))
    starts = range(0, len(xs), size)
    return (
        [_rounded(_mean(xs[start : start + size])) for start in starts],
        [None if None in (part := ys[start : start + size]) else _rounded(_mean(part)) for start in starts],
    )


def _mean(values: Sequence[float | None]) -> float:
    numbers = [value for value in values if value is not None]
    return math.fsum(numbers) / len(numbers)


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")
