"""What the annotation of an option says: the values it allows, schedules, and the kind of a nested node."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen, MultipleOf

from ganlab.bounds import flat
from ganlab.kinds import KINDS, kind_of_contract
from ganlab.schedules import Schedulable
from ganlab.spec.model import Instead, Node

_WORDS: Mapping[Any, str] = {
    float: "a number",
    int: "an integer",
    bool: "true or false",
    str: "text",
    type(None): "null",
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
    Any: "any value",
}
_LIMITS: tuple[tuple[type, str, str], ...] = (
    (Gt, "gt", "above {}"),
    (Ge, "ge", "of at least {}"),
    (Lt, "lt", "below {}"),
    (Le, "le", "of at most {}"),
    (MultipleOf, "multiple_of", "in steps of {}"),
    (MinLen, "min_length", "of length {} or more"),
    (MaxLen, "max_length", "of length {} or less"),
)


def in_words(annotation: Any) -> str:
    """The values that an annotation allows, in words: `a number above 0`, `[a number, a number]`, `a | b`."""
    bare, notes = _stripped(annotation)
    origin, parameters = get_origin(bare), get_args(bare)
    if kind := nested_kind(bare):
        return f"a node of the {kind}" + (" or a list of them" if KINDS[kind].combined else "")
    if origin is Literal:
        return " | ".join(map(str, parameters))
    if is_union(bare):
        return " or ".join(in_words(parameter) for parameter in parameters)
    words = _collection(origin, parameters) if origin and parameters else _named(bare)
    limits = " and ".join(_limits(notes))
    return words + (f" {limits}" if limits else "") + (" or a schedule" if may_be_scheduled(annotation) else "")


def may_be_scheduled(annotation: Any) -> bool:
    """Whether an option with this annotation is declared `Scheduled` (or an optional one)."""
    bare, notes = _stripped(annotation)
    marked = any(note is Schedulable or isinstance(note, Schedulable) for note in notes)
    return marked or (is_union(bare) and any(map(may_be_scheduled, get_args(bare))))


def nested_kind(annotation: Any) -> str | None:
    """The kind of the node that stands for a value with this annotation; None for anything but a contract."""
    bare, _ = _stripped(annotation)
    if is_factory(bare):
        return nested_kind(get_args(bare)[0])
    if not isinstance(bare, type) or get_origin(bare):
        return None
    return kind_of_contract(bare)


def is_factory(annotation: Any) -> bool:
    """Whether an annotation is `Factory[...]`: a node that arrives as a callable and can be built several times."""
    origin = get_origin(_stripped(annotation)[0])
    # By name, as contracts import torch, which the first look at a spec answers without.
    return f"{getattr(origin, '__module__', '')}:{getattr(origin, '__qualname__', '')}" == "ganlab.contracts:Factory"


def nests(annotation: Any) -> bool:
    """Whether nodes stand somewhere in a value with this annotation."""
    bare, _ = _stripped(annotation)
    return nested_kind(bare) is not None or any(nests(part) for part in get_args(bare) if part is not Ellipsis)


def kinds_within(annotation: Any) -> frozenset[str]:
    """The kinds of all nodes that may stand in a value with this annotation."""
    bare, _ = _stripped(annotation)
    found = {kind} if (kind := nested_kind(bare)) else set()
    return frozenset(found.union(*(kinds_within(part) for part in get_args(bare) if part is not Ellipsis)))


def tells_of_input(annotation: Any) -> bool:
    """Whether an option with this annotation takes the facts of an input of the data: `InputFacts`, or an optional."""
    from ganlab.facts import InputFacts

    return InputFacts in alternatives(annotation)


def advice(value: Any, annotation: Any) -> str | None:
    """What an annotation says to take instead of a value that it does not allow, if it says so."""
    _, notes = _stripped(annotation)
    return next((note.advice for note in notes if isinstance(note, Instead) and note.value == value), None)


def is_union(annotation: Any) -> bool:
    """Whether an annotation is `A | B` or `Optional[A]`."""
    return get_origin(annotation) in (Union, types.UnionType)


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The parts of a union, or the annotation itself, without their notes."""
    bare, _ = _stripped(annotation)
    return tuple(_stripped(part)[0] for part in get_args(bare)) if is_union(bare) else (bare,)


def _stripped(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(annotation) is Annotated:
        bare, *notes = get_args(annotation)
        return bare, tuple(notes)
    return annotation, ()


def _limits(notes: Sequence[Any]) -> list[str]:
    found = {
        attribute: (text, getattr(note, attribute))
        for limit, attribute, text in _LIMITS
        for note in flat(notes)
        if isinstance(note, limit)
    }
    if {"ge", "le"} <= set(found):
        (_, low), (_, high) = found.pop("ge"), found.pop("le")
        found = {"from": (f"from {_number(low)} to {{}}", high)} | found
    if {"gt", "le"} <= set(found):
        found["le"] = ("at most {}", found["le"][1])
    return [text.format(_number(limit)) for text, limit in found.values()]


def _number(limit: Any) -> str:
    """A limit as people write it: thousands apart, and no fraction where there is none."""
    whole = isinstance(limit, int) or (isinstance(limit, float) and limit.is_integer() and abs(limit) < 1e15)
    return f"{int(limit):,}" if whole else str(limit)


def _collection(origin: Any, parameters: tuple[Any, ...]) -> str:
    if origin is tuple and parameters[-1] is not Ellipsis:
        return f"[{', '.join(map(in_words, parameters))}]"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a mapping of {in_words(parameters[0])} to {in_words(parameters[1])}"
    if origin is Callable or origin is type:
        return _class_name(origin)
    return f"a list, each item {in_words(parameters[0])}"


def _named(annotation: Any) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return "a node"
    if dataclasses.is_dataclass(annotation):
        return "a mapping"
    return _WORDS.get(annotation) or _class_name(annotation)


def _class_name(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)
