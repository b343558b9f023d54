from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt
from pydantic import Field

from ganlab.contracts import Discriminator, Loss, WeightedRegularizer
from ganlab.schedules import Schedule, Scheduled
from ganlab.spec.annotations import in_words, kinds_within, may_be_scheduled
from ganlab.spec.constructor import option_text
from ganlab.spec.conversion import MismatchError, convert


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "an integer"),
        (float | None, "a number or null"),
        (Annotated[float, Gt(0), Le(1)], "a number above 0 and at most 1"),
        (Annotated[float, Ge(0.001), Le(1e9)], "a number from 0.001 to 1,000,000,000"),
        (Annotated[float, Ge(0), Lt(1)], "a number of at least 0 and below 1"),
        (Annotated[int, Field(ge=2)], "an integer of at least 2"),
        (Annotated[Scheduled, Gt(0)], "a number above 0 or a schedule"),
        (Literal["a", "b", 3], "a | b | 3"),
        (tuple[float, int], "[a number, an integer]"),
        (tuple[float, ...], "a list, each item a number"),
        (Sequence[str], "a list, each item text"),
        (dict[str, bool], "a mapping of text to true or false"),
        (Loss | None, "a node of the losses or null"),
        (Sequence[WeightedRegularizer], "a list, each item a node of the regularizers"),
        (Any, "any value"),
        (Path, "Path"),
    ],
)
def test_annotations_in_words(annotation, words):
    assert in_words(annotation) == words


def test_kinds_are_found_at_any_depth():
    assert kinds_within(Mapping[str, Sequence[Discriminator | None]] | Loss) == {"discriminators", "losses"}
    assert kinds_within(tuple[int, ...]) == frozenset()


def test_scheduled_may_be_optional():
    assert may_be_scheduled(Scheduled | None)
    assert not may_be_scheduled(float | None)


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        (1, float, 1.0),
        (1, int, 1),
        ([1, 2], tuple[int, int], (1, 2)),
        ([1, 2], Sequence[float], [1.0, 2.0]),
        ("a/b", Path, Path("a/b")),
        (None, int | None, None),
        ({"a": 1}, dict[str, float], {"a": 1.0}),
        ({"steps": 3}, dict[str, int], {"steps": 3}),
        ([1, {"a": None}], Any, [1, {"a": None}]),
    ],
)
def test_values_become_what_the_annotation_says(value, annotation, expected):
    assert convert(value, annotation) == expected
    assert type(convert(value, annotation)) is type(expected)


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ("1", float),
        (True, int),
        (True, float),
        (1, bool),
        (1.0, int),
        ([1], float),
        (1, str),
        (None, int),
        ([1], tuple[int, int]),
        (float("nan"), float),
        ([float("inf")], Any),
        ({"linear": [1, 2], "over_kimg": 3}, float),
        ({"linear": [1, -2], "over_kimg": 3}, Annotated[Scheduled, Ge(0)]),
        ({"linear": [1, 2]}, Scheduled),
        (1, Loss),
    ],
)
def test_nothing_else_is_converted(value, annotation):
    with pytest.raises(MismatchError):
        convert(value, annotation)


def test_schedules_replace_numbers():
    steps = {"steps": {0: 1, 2: 3}}
    expected = Schedule("steps", ((0.0, 1.0), (2000.0, 3.0)))
    assert convert(steps, Scheduled) == expected
    assert convert([0, steps], tuple[float, float], scheduled=True) == (0.0, expected)


@pytest.mark.parametrize(
    ("documentation", "text"),
    [
        ("Does.\n\nArgs:\n    size: how large;\n        in pixels.\n    other: no.", "How large; in pixels."),
        ("Does.\n\nArgs:\n    size (int): how large.", "How large."),
        ("Of `size` pixels; `other` is not.", "Of `size` pixels; `other` is not."),
        ("`size` is 1.5 of `other` sizes. More.", "`size` is 1.5 of `other` sizes."),
        ("With `size: 3` it\nis large. It is not.", "With `size: 3` it is large."),
        ("Nothing.", ""),
    ],
)
def test_docstrings_tell_of_options(documentation, text):
    assert option_text(documentation, "size") == text
