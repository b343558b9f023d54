"""A spec as YAML with its reasons as comments."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ganlab.spec.document import Path, dotted
from ganlab.spec.render import flow, scalar

_WIDTH = 120
_ONE_LINE = 90


def commented(tree: Mapping[str, Any], reasons: Mapping[str, str], head: Sequence[str]) -> str:
    """A spec with the lines of `head` above it and the reason for each place behind it, or above it where it is long.

    `reasons` are by place as an override writes it, such as "data.batch_size". What has no reasons within stands on one
    line if it fits.
    """
    written = [line for paragraph in head for line in _comment(paragraph)]
    return "\n".join([*written, *_members(tree, reasons, (), "")]) + "\n"


def _members(tree: Mapping[str, Any], reasons: Mapping[str, str], path: Path, indent: str) -> Iterator[str]:
    for key, value in tree.items():
        yield from _value(f"{indent}{scalar(key)}:", value, reasons, (*path, key), indent)


def _value(start: str, value: Any, reasons: Mapping[str, str], path: Path, indent: str) -> Iterator[str]:
    reason = reasons.get(dotted(path), "")
    on_one_line = f"{start} {flow(value)}"
    nested = bool(value) and isinstance(value, Mapping | list)
    if not nested or (len(on_one_line) <= _ONE_LINE and not _has_reasons(path, reasons)):
        yield from _with_reason(on_one_line, reason, indent)
    elif isinstance(value, Mapping):
        yield from _with_reason(start, reason, indent)
        yield from _members(value, reasons, path, f"{indent}  ")
    else:
        yield from _with_reason(start, reason, indent)
        for index, item in enumerate(value):
            yield from _with_dash(_item(item, reasons, (*path, index), f"{indent}    "), indent)


def _with_dash(lines: Iterator[str], indent: str) -> Iterator[str]:
    """The lines of a list's item, with its dash before the first that is no comment."""
    marked = False
    for line in lines:
        first = not marked and not line.lstrip().startswith("#")
        marked = marked or first
        yield f"{indent}  - {line.lstrip()}" if first else line


def _item(item: Any, reasons: Mapping[str, str], path: Path, indent: str) -> Iterator[str]:
    if isinstance(item, Mapping) and item:
        yield from _members(item, reasons, path, indent)
    else:
        yield f"{indent}{flow(item)}"


def _has_reasons(path: Path, reasons: Mapping[str, str]) -> bool:
    return any(place.startswith(f"{dotted(path)}.") for place in reasons)


def _with_reason(text: str, reason: str, indent: str) -> Iterator[str]:
    beside = f"{text}  # {reason}" if reason else text
    if len(beside) > _WIDTH:
        yield from _comment(reason, indent)
        beside = text
    yield beside


def _comment(paragraph: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        paragraph,
        _WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_on_hyphens=False,
        break_long_words=False,
    )
