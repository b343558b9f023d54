"""Numbers have bounds on both sides: their option's own, or those of the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le
from pydantic import Field

from ganlab.bounds import INTEGERS, NUMBERS, Count, LongSeed, Seed, bounded
from ganlab.schedules import Scheduled
from ganlab.spec.conversion import MismatchError, convert, json_schema_of

PLAIN = [
    (int, INTEGERS),
    (float, NUMBERS),
    (int | None, INTEGERS),
    (Count, INTEGERS),
    (Scheduled, NUMBERS),
    (Annotated[float | None, Gt(0)], NUMBERS),
    (Annotated[int, Ge(0), Le(2**62)], 2**62),
    (Annotated[int, Interval(ge=-5, le=2**40)], 2**40),
    (Annotated[float, Field(le=1e20)], 1e20),
    (Seed, 2**32 - 1),
    (LongSeed, 2**63 - 1),
]


@pytest.mark.parametrize(("annotation", "largest"), PLAIN)
def test_the_largest_number_is_taken_and_no_larger_one(annotation, largest):
    assert convert(largest, annotation) == largest
    with pytest.raises(MismatchError):
        convert(largest + 1 if isinstance(largest, int) else largest * 1.001, annotation)


@pytest.mark.parametrize(
    ("annotation", "hold"),
    [
        (tuple[int, int], lambda number: [1, number]),
        (tuple[float, ...], lambda number: [number]),
        (Sequence[Count], lambda number: [1, 1, number]),
        (int | tuple[int, int] | None, lambda number: [number, 1]),
        (Mapping[str, float], lambda number: {"a": number}),
        (Mapping[int, Sequence[int]], lambda number: {1: [number]}),
    ],
)
def test_numbers_within_collections_have_bounds_too(annotation, hold):
    convert(hold(1000), annotation)
    with pytest.raises(MismatchError, match="options without bounds of their own hold integers of up to 1,000,000,000"):
        convert(hold(2**50), annotation)


def test_below_zero_the_bounds_are_the_same():
    assert convert(-INTEGERS, int) == -INTEGERS
    with pytest.raises(MismatchError, match="with either sign"):
        convert(-INTEGERS - 1, int)


@pytest.mark.parametrize("annotation", [bool, str, Literal[1, 2], Any, type[int], Annotated[bool, "note"]])
def test_what_is_no_number_stays_as_it_is(annotation):
    assert bounded(annotation) == annotation


def test_editors_are_told_the_bounds():
    assert json_schema_of(int) == {"type": "integer", "minimum": -INTEGERS, "maximum": INTEGERS}
    assert json_schema_of(Count) == {"type": "integer", "minimum": 1, "maximum": INTEGERS}
