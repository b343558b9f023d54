"""What differs between two resolved specs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.schedules import is_schedule
from ganlab.spec.document import Path, dotted
from ganlab.spec.render import flow, plain
from ganlab.spec.resolution import Resolution

_ABSENT = "-"


@dataclass(frozen=True)
class Difference:
    """One key with its value on both sides, as written in a spec (`-` where a side has none), and their origins."""

    key: str
    left: str
    right: str
    left_origin: str
    right_origin: str


@dataclass(frozen=True)
class Change:
    """One key with its values before and after, as written in a spec; `-` where there is none."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key}: {self.before} -> {self.after}"


def differences(left: Resolution, right: Resolution) -> list[Difference]:
    """The keys at which two specs differ, in the order of the left one, then of the right one."""
    first, second = _flat(plain(left.spec)), _flat(plain(right.spec))
    found = []
    for path in _differing(first, second):
        left_value, left_origin = _shown(first, left, path)
        right_value, right_origin = _shown(second, right, path)
        found.append(Difference(dotted(path), left_value, right_value, left_origin, right_origin))
    return found


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The keys at which two specs differ that are given as plain mappings."""
    first, second = _flat(before), _flat(after)
    return [
        Change(dotted(path), first.get(path, _ABSENT), second.get(path, _ABSENT)) for path in _differing(first, second)
    ]


def flat_values(content: Mapping[str, Any]) -> dict[str, str]:
    """The values of a spec that is given as plain mappings, as they are written, by dotted keys."""
    return {dotted(path): text for path, text in _flat(content).items()}


def _differing(first: Mapping[Path, str], second: Mapping[Path, str]) -> list[Path]:
    paths = [path for path in first if first[path] != second.get(path)]
    return paths + [path for path in second if path not in first]


def table(found: list[Difference]) -> str:
    """Differences as aligned text: key, left, right, and the origins."""
    rows = [(each.key, each.left, "->", each.right, f"({each.left_origin} -> {each.right_origin})") for each in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _shown(flat: Mapping[Path, str], resolution: Resolution, path: Path) -> tuple[str, str]:
    """A value and its origin, or what stands for both where a side lacks the key."""
    return (flat[path], str(resolution.origin(path))) if path in flat else (_ABSENT, _ABSENT)


def _flat(content: Any, path: Path = ()) -> dict[Path, str]:
    """Values by path as they are written; schedules and lists of plain values are one value."""
    if isinstance(content, Mapping) and not (is_schedule(content) and "name" not in content):
        return {key: text for name, member in content.items() for key, text in _flat(member, (*path, name)).items()}
    if isinstance(content, list) and any(isinstance(item, Mapping) for item in content):
        return {key: text for index, item in enumerate(content) for key, text in _flat(item, (*path, index)).items()}
    return {path: flow(content)}
