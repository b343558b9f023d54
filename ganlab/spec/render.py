"""A resolved spec as YAML that loads back to an equal spec."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ganlab.plugins import installed
from ganlab.schedules import Schedule, is_schedule
from ganlab.spec.document import Path
from ganlab.spec.model import Node, Spec
from ganlab.spec.sections import key_order, keys_of
from ganlab.spec.yaml_reader import read_scalar

_PLAIN_TEXT = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+-]*")
Line = tuple[str, Path]


def dump(spec: Spec) -> str:
    """The resolved spec as YAML. Values that a file leaves out are written out with their defaults."""
    return "".join(f"{text}\n" for text, _ in lines(plain(spec)))


def annotated(spec: Spec, comment: Callable[[Path], object]) -> str:
    """As `dump`, with a comment of each value's path behind it, aligned."""
    written = lines(plain(spec))
    width = min(max(len(text) for text, _ in written), 60)
    return "".join(
        f"{text:{width}}  # {comment(path)}\n" if not text.endswith(":") else f"{text}\n" for text, path in written
    )


def plain(value: Any) -> Any:
    """A spec, or any part of one, as mappings, lists and scalars."""
    if isinstance(value, Spec):
        return {name: plain(getattr(value, name)) for name in key_order()}
    if isinstance(value, Node):
        keys = [name for name in keys_of(type(value)) if name not in type(value).yields & set(value.options)]
        owned = {name: plain(getattr(value, name)) for name in keys}
        return {"name": _reference(value)} | plain(value.options) | owned
    if isinstance(value, Schedule):
        return value.to_node()
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else _json(value)


def lines(content: Mapping[Any, Any], path: Path = (), indent: str = "") -> list[Line]:
    """Lines of YAML with the path of the value that each ends with; a line that ends with ':' has none."""
    written: list[Line] = []
    for key, value in content.items():
        below, start = (*path, key), f"{indent}{scalar(key)}:"
        if isinstance(value, Mapping) and value and not _is_leaf(value):
            written += [(start, below), *lines(value, below, f"{indent}  ")]
        elif isinstance(value, list) and any(isinstance(item, Mapping) and not _is_leaf(item) for item in value):
            written.append((start, below))
            for index, item in enumerate(value):
                written += _item(item, (*below, index), f"{indent}  ")
        else:
            written.append((f"{start} {flow(value)}", below))
    return written


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {flow(member)}' for key, member in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return scalar(value)


def scalar(value: Any) -> str:
    """One scalar; text is quoted where it would be read as something else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # YAML 1.1 readers take 1e-05 for text: a mantissa with a point serves all.
        mantissa, exponent, power = repr(value).partition("e")
        return repr(value) if not exponent or "." in mantissa else f"{mantissa}.0e{power}"
    if isinstance(value, int):
        return str(value)
    if _PLAIN_TEXT.fullmatch(value) and isinstance(read_scalar(value), str):
        return str(value)
    escaped = value.replace("${", "\\${")
    return str(yaml.safe_dump(escaped, default_style='"', width=10**9)).strip()


def _item(item: Any, path: Path, indent: str) -> list[Line]:
    if not isinstance(item, Mapping) or not item or _is_leaf(item):
        return [(f"{indent}- {flow(item)}", path)]
    (first, place), *rest = lines(item, path, f"{indent}  ")
    return [(f"{indent}- {first.lstrip()}", place), *rest]


def _is_leaf(value: Mapping[Any, Any]) -> bool:
    return is_schedule(value) and "name" not in value


def _reference(node: Node) -> str:
    """The node's name, with its distribution where others offer the name as well."""
    rivals = {plugin.distribution for plugin in installed(node.kind) if plugin.name == node.name}
    return f"{node.distribution}/{node.name}" if len(rivals) > 1 else node.name


def _json(value: Any) -> Any:
    from pydantic_core import to_jsonable_python

    return to_jsonable_python(value)
