"""A spec as it was written: every value with the place that it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Key = str | int | float
Path = tuple[Key, ...]


@dataclass(frozen=True)
class Origin:
    """Where a value came from: a file with line and column, an override, a preset or a default."""

    source: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


DEFAULT = Origin("default")


@dataclass(frozen=True)
class Value:
    """A scalar, a `dict` of keys to values or a `list` of values, with its origin.

    The origin of a member of a mapping is the place of its key, that of a list's item the place of the item.
    """

    content: Any
    origin: Origin

    def plain(self) -> Any:
        """The value as plain Python data."""
        if isinstance(self.content, dict):
            return {key: member.plain() for key, member in self.content.items()}
        if isinstance(self.content, list):
            return [item.plain() for item in self.content]
        return self.content

    def get(self, *path: Key) -> Value | None:
        """The value at a path below this one; None where there is none."""
        value: Value | None = self
        for key in path:
            value = value._member(key) if value else None
        return value

    def leaves(self, path: Path = ()) -> Iterator[tuple[Path, Value]]:
        """Every scalar below this value with its path."""
        if isinstance(self.content, dict | list):
            members = self.content.items() if isinstance(self.content, dict) else enumerate(self.content)
            for key, member in members:
                yield from member.leaves((*path, key))
        else:
            yield path, self

    def _member(self, key: Key) -> Value | None:
        members: Any = self.content
        if isinstance(members, list):
            members = dict(enumerate(members))
        return members.get(key) if isinstance(members, dict) else None


@dataclass(frozen=True)
class Document:
    """A spec file merged with the files that it extends and the overrides, interpolations resolved."""

    path: str
    tree: Value


def located(content: Any, origin: Origin) -> Value:
    """Plain data as values that all come from one place."""
    if isinstance(content, Mapping):
        return Value({key: located(member, origin) for key, member in content.items()}, origin)
    if isinstance(content, list | tuple):
        return Value([located(item, origin) for item in content], origin)
    return Value(content, origin)


def dotted(path: Path) -> str:
    """A path as it is written in an override: `architecture.regularizers.0.weight`."""
    return ".".join(map(str, path))
