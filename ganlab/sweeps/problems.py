"""What pydantic finds wrong, as sentences with lines."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ganlab.spec.document import Path, Value
from ganlab.spec.names import unknown_key
from ganlab.spec.problems import Problems
from ganlab.suggestions import did_you_mean


def add_problems(problems: Problems, error: ValidationError, value: Value, path: Path, model: type[BaseModel]) -> None:
    """Note each problem at the line of the deepest key that is there; `model` was held against `value` at `path`."""
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        place, depth = _nearest(value, location)
        problems.add(place.origin, (*path, *location), _sentence(detail, model))
        assert depth <= len(location)


def _nearest(value: Value, location: Path | tuple[int | str, ...]) -> tuple[Value, int]:
    """The deepest value on the way to a place, and how deep it is."""
    for depth in range(len(location), 0, -1):
        found = value.get(*location[:depth])
        if found is not None:
            return found, depth
    return value, 0


def _sentence(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown_key(detail["loc"][-1], _keys_at(model, detail["loc"][:-1]))
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    wanted = str(detail["msg"]).removeprefix("Input ").replace("should be", "must be")
    hint = ""
    if kind == "literal_error":
        hint = did_you_mean(detail["input"], [word.strip("'") for word in _words(detail)])
    return f"{wanted}, not {detail['input']!r}{hint}"


def _words(detail: ErrorDetails) -> list[str]:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    return expected.replace(" or ", ", ").split(", ")


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys of the model at a place below another."""
    for key in location:
        model = _model_in(model.model_fields[str(key)].annotation)
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel]:
    parts = getattr(annotation, "__args__", (annotation,))
    return next(part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))
