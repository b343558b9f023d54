"""Interpolation: `${other.key}` in a value stands for another value of the spec, and for nothing outside of it."""

from __future__ import annotations

import re
from typing import Any

from ganlab.errors import SpecError
from ganlab.spec.document import Path, Value, dotted, located
from ganlab.spec.yaml_reader import MAX_BYTES, MAX_DEPTH, MAX_VALUES

MAX_NESTING = 5

_REFERENCE = re.compile(r"\s*(\.*)([^\s.\[\]]+(?:\.[^\s.\[\]]+|\[[^\s.\[\]]+\])*)\s*")
_KEY = re.compile(r"[^.\[\]]+")


def resolve_interpolations(tree: Value) -> Value:
    r"""The same tree with every `${...}` replaced by what it refers to; origins stay where the text stands.

    `${a.b.0}` counts from the top, `${.b}` from the mapping or list that holds the value, `${..b}` from the one around
    it. Text may hold several, `\${` is no interpolation. Nothing of the environment can be referred to. Depth and size
    of what comes out have the limits of what is read. Raises `SpecError`.
    """
    places = [(path, leaf) for path, leaf in tree.leaves() if _refers(leaf)]
    references = _References(tree)
    for path, leaf in places:
        try:
            references.resolved(leaf, path)
        except _Unresolvable as error:
            raise SpecError(f"{leaf.origin}: {dotted(path)}: the interpolation cannot be resolved: {error}") from None
    return references.resolved(tree, ()) if places else tree


class _Unresolvable(ValueError):
    """Why, as a part of a sentence."""


class _References:
    """Resolves each place once, however often it is referred to."""

    def __init__(self, tree: Value) -> None:
        self.tree = tree
        self._known: dict[Path, Value] = {}
        self._under_way: list[Path] = []
        self._values = 0
        self._characters = 0

    def resolved(self, value: Value, path: Path) -> Value:
        """The value at a path with all that it refers to."""
        if path in self._known:
            return self._known[path]
        if isinstance(value.content, dict):
            return Value({key: self.resolved(part, (*path, key)) for key, part in value.content.items()}, value.origin)
        if isinstance(value.content, list):
            return Value([self.resolved(part, (*path, i)) for i, part in enumerate(value.content)], value.origin)
        if not _refers(value):
            return value
        if path in self._under_way:
            raise _Unresolvable("it refers to itself")
        if len(self._under_way) >= MAX_DEPTH:
            raise _Unresolvable(f"it leads through more than {MAX_DEPTH} others")
        self._under_way.append(path)
        found = located(self._text(value.content, path, 0), value.origin)
        self._under_way.pop()
        self._count(found)
        self._known[path] = found
        return found

    def _text(self, text: str, path: Path, nesting: int) -> Any:
        """What a text says; the value itself where it is one interpolation and nothing else."""
        pieces: list[Any] = []
        position = 0
        while (start := text.find("${", position)) >= 0:
            escaped = text[position:start].endswith("\\")
            before = text[position : start - escaped] + "${" * escaped
            pieces += [before] if before else []
            position = start + 2
            if not escaped:
                end = _end(text, position)
                pieces.append(self._reference(text[position:end], path, nesting))
                position = end + 1
        pieces += [text[position:]] if text[position:] else []
        return pieces[0] if len(pieces) == 1 else "".join(map(_as_text, pieces))

    def _reference(self, written: str, path: Path, nesting: int) -> Any:
        if nesting == MAX_NESTING:
            raise _Unresolvable(f"they stand in each other more than {MAX_NESTING} deep")
        name = _as_text(self._text(written, path, nesting + 1)) if "${" in written else written
        if ":" in name:
            raise _Unresolvable(_NO_RESOLVER.format(name))
        parsed = _REFERENCE.fullmatch(name)
        if parsed is None or len(parsed[1]) > len(path):
            raise _Unresolvable(f"'{name}' is no path such as data.resolution or ..resolution")
        around = path[: -len(parsed[1])] if parsed[1] else ()
        value = self.tree
        place: Path = ()
        for key in (*around, *_KEY.findall(parsed[2])):
            value, place = self._member(value, key, place, name)
        return self.resolved(value, place).plain()

    def _member(self, value: Value, key: Any, place: Path, name: str) -> tuple[Value, Path]:
        if _refers(value):
            value = self.resolved(value, place)
        number = int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 20 else key
        for candidate in (key, number):
            found = value.get(candidate)
            if found is not None:
                return found, (*place, candidate)
        raise _Unresolvable(f"there is no '{name}'")

    def _count(self, value: Value, depth: int = 0) -> None:
        """Keep what comes out within the limits."""
        self._values += 1
        if isinstance(value.content, str):
            self._characters += len(value.content)
        if depth > MAX_DEPTH:
            raise _Unresolvable(f"what comes out is nested more than {MAX_DEPTH} deep")
        if self._values > MAX_VALUES or self._characters > MAX_BYTES:
            raise _Unresolvable(f"what comes out is more than {MAX_VALUES} values or {MAX_BYTES // 1000} kB")
        members = value.content.values() if isinstance(value.content, dict) else value.content
        for member in members if isinstance(value.content, dict | list) else ():
            self._count(member, depth + 1)


_NO_RESOLVER = (
    "'{}' is no path in the spec: neither the environment nor anything else outside of it can be read, as its values "
    'are kept in the run\'s folder and sent to trackers; give the value on the command line, as in key="$NAME"'
)


def _refers(value: Value) -> bool:
    return isinstance(value.content, str) and "${" in value.content


def _end(text: str, start: int) -> int:
    """Where the interpolation ends whose text begins at `start`."""
    opened, position = 1, start
    while opened:
        found = re.compile(r"\$\{|\}").search(text, position)
        if found is None:
            raise _Unresolvable("a '}' is missing")
        opened += 1 if found[0] == "${" else -1
        position = found.end()
    return position - 1


def _as_text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise _Unresolvable("a mapping or a list cannot stand within text")
    return str(value)
