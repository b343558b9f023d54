"""Overrides: `a.b=c` on the command line as a layer of a spec."""

from __future__ import annotations

import re

from ganlab.errors import SpecError
from ganlab.spec.document import Key, Origin, Value
from ganlab.spec.merge import Item
from ganlab.spec.yaml_reader import read_yaml

_KEYS = re.compile(r"[^.\[\]=\s]+(\.[^.\[\]=\s]+|\[[0-9]+\])*")
_KEY = re.compile(r"[^.\[\]]+")


def is_override(argument: str) -> bool:
    """Whether an argument of the command line is an override and not the path of a spec."""
    return _KEYS.fullmatch(argument.partition("=")[0]) is not None and "=" in argument


def read_override(text: str) -> Value:
    """The layer that `a.b=c` means: `c` is YAML, and numbers among the keys count a list's items from 0."""
    origin = Origin(f"override '{text}'")
    dotted, equals, written = text.partition("=")
    if not equals or not _KEYS.fullmatch(dotted):
        raise SpecError(
            f"{origin}: an override is written a.b=c, such as data.batch_size=32 or "
            "architecture.regularizers.0.weight=2"
        )
    keys = _KEY.findall(dotted)
    if keys[0] == "extends":
        raise SpecError(f"{origin}: 'extends' cannot be overridden; write it in the spec's file")
    value = read_yaml(written, str(origin), keys[-1], origin)
    for key in reversed(keys):
        value = Value(Item(int(key), value) if key.isdecimal() else _member(key, value), origin)
    return value


def _member(key: str, value: Value) -> dict[Key, Value]:
    return {key: value}
