"""A value of a spec as the annotation of its option wants it, or a sentence that says what is wrong."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from ganlab.bounds import INTEGERS, NUMBERS, bounded
from ganlab.schedules import Schedule, is_schedule, parse_schedule
from ganlab.spec.annotations import advice, alternatives, in_words, may_be_scheduled
from ganlab.suggestions import did_you_mean


class MismatchError(ValueError):
    """A value that its annotation does not allow; the message completes `key: `."""


def convert(value: Any, annotation: Any, *, scheduled: bool = False) -> Any:
    """Plain data as the annotation's type: no text for numbers, no `true` for 1, but integers for floats.

    Schedules are parsed where the annotation is `Scheduled`; with `scheduled`, wherever a number may stand.
    Raises `MismatchError`.
    """
    for number in _numbers(value):
        if isinstance(number, float) and not math.isfinite(number):
            raise MismatchError(f"needs {in_words(annotation)}, not {shown(value)}: numbers are finite")
        if isinstance(number, int) and abs(number) >= 2**63:
            raise MismatchError(f"needs {in_words(annotation)}, not {shown(value)}: integers have at most 63 bits")
    if not (scheduled or may_be_scheduled(annotation)):
        if is_schedule(value) and any(part in (int, float) for part in alternatives(annotation)):
            raise MismatchError(f"cannot follow a schedule; it needs {in_words(annotation)}")
        return _converted(value, annotation)
    template = _parsed(value)
    for moment in _moments(template):
        result = _converted(_at(template, moment), annotation)
    return _restored(result, template)


def shown(value: Any) -> str:
    """A value as it might be written in a spec, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str) if not isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _converted(value: Any, annotation: Any) -> Any:
    from pydantic import ValidationError

    adapter = _adapter(bounded(annotation))
    if adapter is None:
        raise MismatchError(f"needs {in_words(annotation)}, which a spec cannot express; leave it out")
    try:
        # As JSON: strict about types, and yet lists become tuples and text becomes paths or enumerations.
        return adapter.validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        said = advice(value, annotation)
        suggestion = f"; {said}" if said else _beyond_measure(value, annotation) or _nearest_literal(value, annotation)
        raise MismatchError(f"needs {in_words(annotation)}, not {shown(value)}{suggestion}") from error


def _beyond_measure(value: Any, annotation: Any) -> str:
    """What to say of a value that only the platform's bounds forbid."""
    from pydantic import ValidationError

    try:
        _adapter(annotation).validate_json(json.dumps(value), strict=True)
    except ValidationError:
        return ""
    return (
        f": options without bounds of their own hold integers of up to {INTEGERS:,} and numbers of up to "
        f"{NUMBERS:,.0f}, with either sign"
    )


@functools.lru_cache(maxsize=1024)
def _cached_adapter(annotation: Any) -> Any:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError

    try:
        return TypeAdapter(annotation)
    except (PydanticSchemaGenerationError, PydanticUndefinedAnnotation, PydanticUserError):
        return None


def _adapter(annotation: Any) -> Any:
    try:
        return _cached_adapter(annotation)
    except TypeError:  # an unhashable annotation, such as Annotated with a list
        return _cached_adapter.__wrapped__(annotation)


def json_schema_of(annotation: Any, prefix: str = "") -> dict[str, Any]:
    """The JSON Schema of an annotation; empty (anything goes) for types that a spec cannot express.

    The names of its own definitions start with `prefix`.
    """
    adapter = _adapter(bounded(annotation))
    if adapter is None:
        return {}
    schema = dict(adapter.json_schema(ref_template=f"#/$defs/{prefix}{{model}}"))
    if "$defs" in schema:
        schema["$defs"] = {f"{prefix}{name}": part for name, part in schema["$defs"].items()}
    return schema


def _nearest_literal(value: Any, annotation: Any) -> str:
    allowed = [word for part in alternatives(annotation) if get_origin(part) is Literal for word in get_args(part)]
    return did_you_mean(value, map(str, allowed)) if allowed else ""


def _numbers(value: Any) -> Iterator[float | int]:
    if isinstance(value, float | int):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from _numbers(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _numbers(item)


def _parsed(value: Any) -> Any:
    """The value with schedules in the place of their nodes."""
    if isinstance(value, list):
        return [_parsed(item) for item in value]
    if not is_schedule(value):
        return value
    try:
        return parse_schedule(value)
    except ValueError as error:
        raise MismatchError(str(error)) from None


def _moments(template: Any) -> list[float]:
    """Moments at which the value is checked: the points of its schedules."""
    parts = template if isinstance(template, list) else [template]
    return sorted({moment for part in parts if isinstance(part, Schedule) for moment, _ in part.points} | {0.0})


def _at(template: Any, moment: float) -> Any:
    if isinstance(template, list):
        return [_at(item, moment) for item in template]
    return template.value(moment) if isinstance(template, Schedule) else template


def _restored(result: Any, template: Any) -> Any:
    """The converted value with schedules where the template has them."""
    if isinstance(template, Schedule):
        return template
    if isinstance(template, list) and isinstance(result, list | tuple):
        return type(result)(_restored(part, written) for part, written in zip(result, template, strict=True))
    return result
