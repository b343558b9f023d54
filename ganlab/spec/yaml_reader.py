"""Plain YAML with the place of every value; what could surprise, loop or explode is refused with a sentence.

Scalars follow YAML 1.2: `1e-4` is a number, `yes` and `on` are text.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from ganlab.errors import SpecError
from ganlab.spec.document import Key, Origin, Value

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_VALUES = 100_000

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"], None),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys([".inf", ".Inf", ".INF", "+.inf"], float("inf")),
    **dict.fromkeys(["-.inf", "-.Inf", "-.INF"], float("-inf")),
    **dict.fromkeys([".nan", ".NaN", ".NAN"], float("nan")),
}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(text: str, source: str, key: Key | None = None, origin: Origin | None = None) -> Value:
    """The one document in `text`; `source` names it in errors, `key` is the key that the document stands under.

    `origin`, if given, is the place of every value (for text that is no file). Raises `SpecError`.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in text):  # what the system gives that is no text
        raise SpecError(f"{source.encode(errors='backslashreplace').decode()}: a spec is text in Unicode; this is not")
    if len(text.encode()) > MAX_BYTES:
        raise SpecError(f"{source}: a spec has at most {MAX_BYTES // 1000} kB; this is {len(text) // 1000} kB long")
    try:
        return _Reader(text, source, origin).document(key)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}:{mark.line + 1}" if mark and origin is None else source
        raise SpecError(f"{place}: this is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{source}: this is not YAML: {str(error).splitlines()[0]}") from None


def read_scalar(text: str) -> Any:
    """The value of a plain (unquoted) scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    # Python refuses to convert integers of thousands of digits; as text they get the usual sentence about types.
    if _INTEGER.fullmatch(text) and len(text) <= 1000:
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) and len(text) <= 1000 else text


class _Reader:
    """Builds values from the parser's events, which come one by one, so that limits hold before memory is used."""

    def __init__(self, text: str, source: str, origin: Origin | None) -> None:
        self._events = yaml.parse(text, Loader=_LOADER)
        self._source = source
        self._origin = origin
        self._anchors: dict[str, Value | None] = {}
        self._values = 0

    def document(self, key: Key | None) -> Value:
        event = next(self._events)
        while isinstance(event, yaml.StreamStartEvent | yaml.DocumentStartEvent):
            event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Value(None, self._place(event))
        value = self._value(event, key, 0)
        next(self._events)  # the document's end
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            self._refuse(event, "a spec is one YAML document; remove what follows '---'")
        return value

    def _value(self, event: Any, key: Key | None, depth: int) -> Value:
        if depth > MAX_DEPTH:
            self._refuse(event, f"a spec is nested at most {MAX_DEPTH} deep")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            self._refuse(event, f"a spec has no tags; remove '{event.tag}' and write a plain value")
        if event.anchor:
            self._anchors[event.anchor] = None  # not known until it is complete
        self._count(event, 1)
        value = Value(self._content(event, key, depth), self._place(event))
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _content(self, event: Any, key: Key | None, depth: int) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return read_scalar(event.value) if event.implicit[0] and not event.style else event.value
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(depth)
        return self._members(key, depth)

    def _items(self, depth: int) -> list[Value]:
        items = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, None, depth + 1))
        return items

    def _members(self, parent: Key | None, depth: int) -> dict[Key, Value]:
        members: dict[Key, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, parent)
            if key in members:
                first = members[key].origin.line
                self._refuse(event, f"the key '{key}' is already given in line {first}; remove one of the two")
            member = self._value(next(self._events), key, depth + 1)
            members[key] = Value(member.content, self._place(event))
        return members

    def _key(self, event: Any, parent: Key | None) -> Key:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            self._refuse(event, "a key is a plain word")
        key = read_scalar(event.value) if event.implicit[0] and not event.style else event.value
        if key == "<<":
            self._refuse(event, "a spec has no merge keys ('<<'); use 'extends' to build on another file")
        is_number = isinstance(key, int | float) and not isinstance(key, bool)
        if not isinstance(key, str) and not (is_number and parent is not None):
            self._refuse(event, f"a key is text, not '{event.value}' (numbers are keys only within an option)")
        return key  # type: ignore[no-any-return]

    def _alias(self, event: Any) -> Value:
        if event.anchor not in self._anchors:
            self._refuse(event, f"'*{event.anchor}' repeats a value that no '&{event.anchor}' before it names")
        value = self._anchors[event.anchor]
        if value is None:
            self._refuse(event, f"'*{event.anchor}' contains itself; write the value out")
        assert value is not None
        self._count(event, _size(value))
        return Value(value.content, self._place(event))

    def _count(self, event: Any, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            self._refuse(event, f"a spec has at most {MAX_VALUES} values, repeated ones ('*name') included")

    def _place(self, event: Any) -> Origin:
        mark = event.start_mark
        return self._origin or Origin(self._source, mark.line + 1, mark.column + 1)

    def _refuse(self, event: Any, sentence: str) -> None:
        raise SpecError(f"{self._place(event)}: {sentence}")


def _size(value: Value) -> int:
    if isinstance(value.content, dict):
        return 1 + sum(map(_size, value.content.values()))
    return 1 + sum(map(_size, value.content)) if isinstance(value.content, list) else 1
