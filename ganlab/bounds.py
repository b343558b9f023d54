"""Bounds of numeric options: names for the usual ones, and those that hold where an annotation gives none."""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt

from ganlab.schedules import Scheduled

INTEGERS = 1_000_000_000
"""The largest magnitude of an integer where its option's annotation gives no bound on that side."""
NUMBERS = 1_000_000_000_000.0
"""The same of a number with a fraction."""

Positive = Annotated[float, Gt(0)]
NotNegative = Annotated[float, Ge(0)]
Portion = Annotated[float, Ge(0), Lt(1)]
"""A part of a whole that never is the whole, such as what dropout takes away."""
Share = Annotated[float, Ge(0), Le(1)]
Weight = Annotated[Scheduled, Ge(0)]
Natural = Annotated[int, Ge(0)]
Count = Annotated[int, Ge(1)]
Seed = Annotated[int, Ge(0), Le(2**32 - 1)]
"""A seed that torch, numpy and scikit-learn take."""
LongSeed = Annotated[int, Ge(0), Le(2**63 - 1)]
"""A seed from which others are derived."""
Steps = Annotated[int, Ge(1), Le(1000)]
"""How often something is done that takes its time: steps of a player in a round, passes over data, trials."""
Depth = Annotated[int, Ge(1), Le(100)]
"""Layers, or blocks of them, one after another."""
Halvings = Annotated[int, Ge(0), Le(20)]
"""How often maps are halved, or doubled."""
Side = Annotated[int, Ge(1), Le(16_384)]
"""Pixels along a picture's side."""
Examples = Annotated[int, Ge(1), Le(10_000_000)]
"""How many examples there are, or are looked at."""
Width = Annotated[int, Ge(1), Le(65_536)]
"""Channels or units of a layer."""


def bounded(annotation: Any) -> Any:
    """An annotation whose integers and numbers have a bound on both sides: their own, or else that of the platform.

    Numbers inside of dataclasses and of other classes stay as they are.
    """
    return _bounded(annotation, ())


def flat(notes: Sequence[Any]) -> list[Any]:
    """The notes of an annotation, and those that one of them groups, as `Interval` and pydantic's `Field` do."""
    found = []
    for note in notes:
        grouped = note if isinstance(note, GroupedMetadata) else getattr(note, "metadata", ())
        found += [note, *(grouped if isinstance(grouped, Iterable) else ())]
    return found


def _bounded(annotation: Any, outer: tuple[Any, ...]) -> Any:
    """`outer` are the notes of what the annotation is a part of, such as those of an optional number."""
    origin, parameters = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bare, *notes = parameters
        return Annotated[(_bounded(bare, (*outer, *notes)), *notes)]  # type: ignore[return-value]
    if annotation in (int, float):
        limits = _default_limits(INTEGERS if annotation is int else NUMBERS, flat(outer))
        return Annotated[(annotation, *limits)] if limits else annotation  # type: ignore[return-value]
    if origin in (Union, types.UnionType):
        return functools.reduce(operator.or_, (_bounded(part, outer) for part in parameters))
    if not parameters or origin is Literal or not _holds_values(origin):
        return annotation
    return origin[tuple(part if part is Ellipsis else _bounded(part, ()) for part in parameters)]


def _default_limits(magnitude: float, notes: Sequence[Any]) -> list[Any]:
    below = [] if any(isinstance(note, Ge | Gt) for note in notes) else [Ge(-magnitude)]
    return below + ([] if any(isinstance(note, Le | Lt) for note in notes) else [Le(magnitude)])


def _holds_values(origin: Any) -> bool:
    """Whether what is parametrised is a collection that a spec writes out, and no callable or class."""
    return isinstance(origin, type) and origin is not type and hasattr(origin, "__iter__")
