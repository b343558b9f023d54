"""The keys of each section of a spec, read from the dataclasses of `model`."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from ganlab.spec.document import Path
from ganlab.spec.model import Node, Spec

SLOTS: Mapping[Path, str] = {
    ("data",): "datasets",
    ("architecture",): "architectures",
    ("optimizers",): "optimizers",
    ("evaluation", "metrics"): "metrics",
}
"""The kinds of the plugins that the platform's own sections name."""

MISSING: Any = dataclasses.MISSING


@dataclass(frozen=True)
class Key:
    """One key of a section; `section` is its dataclass where the value is a section itself."""

    name: str
    annotation: Any
    default: Any = MISSING
    section: type | None = None
    optional: bool = False


def keys_of(section: Any) -> Mapping[str, Key]:
    """The keys of a section, or those of the platform in a node, in the order in which they are written."""
    return _keys_of(section)


@functools.cache
def _keys_of(section: Any) -> Mapping[str, Key]:
    hints = get_type_hints(section, include_extras=True)
    inherited = {field.name for field in dataclasses.fields(Node)} if issubclass(section, Node) else set()
    return {
        field.name: _key(field, hints[field.name])
        for field in dataclasses.fields(section)
        if field.name not in inherited
    }


def key_order() -> list[str]:
    """The keys of a whole spec, in the order of a well-kept file."""
    first = ["name", "seed", "kimg"]
    return first + [name for name in keys_of(Spec) if name not in first]


def _key(field: dataclasses.Field[Any], annotation: Any) -> Key:
    factory: Any = field.default_factory
    default = field.default if factory is MISSING else factory()
    parts = get_args(annotation) or (annotation,)
    sections = [part for part in parts if _is_section(part)]
    return Key(field.name, annotation, default, sections[0] if sections else None, type(None) in parts)


def _is_section(part: Any) -> bool:
    return isinstance(part, type) and dataclasses.is_dataclass(part) and not issubclass(part, Node)
