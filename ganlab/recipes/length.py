"""How long a training is, in images, and when it shows, measures and saves."""

from __future__ import annotations

import math
from typing import Any

LONGEST_KIMG = 25_000  # as far as published trainings go
HOURS_ON_CPU = 1.0
HOURS_ON_ACCELERATOR = 8.0

_PICTURES = 20  # of a training
_EVALUATIONS = 5
_SHORT_HOURS = 0.5  # an evaluation takes a good part of a minute, which shorter trainings spend once, at their end


def kimg_in(hours: float, images_per_second: float) -> float:
    """What can be shown in so many hours, rounded to two digits."""
    return min(_with_digits(hours * 3.6 * images_per_second, 2), LONGEST_KIMG)


def intervals(kimg: float, hours: float) -> dict[str, Any]:
    """The sections that have an interval, each with its share of the length; short trainings are measured once."""
    evaluations = 1 if hours < _SHORT_HOURS else _EVALUATIONS
    return {
        "checkpoint": {"every_kimg": rounded(kimg / 10), "keep": 2},
        "evaluation": {"every_kimg": rounded(kimg / evaluations)},
        "snapshots": {"every_kimg": rounded(kimg / _PICTURES)},
        "diversity": {"every_kimg": rounded(kimg / _PICTURES)},
        "tracking": {"every_kimg": rounded(kimg / 200)},
    }


def rounded(number: float) -> float:
    """A number with one digit, or with two if it begins with 1."""
    return _with_digits(number, 2 if f"{number:e}".startswith("1") else 1)


def _with_digits(number: float, digits: int) -> float:
    """A positive number with so many digits; a whole number where that is the same."""
    value = round(number, digits - 1 - math.floor(math.log10(number)))
    return int(value) if value == int(value) else value
