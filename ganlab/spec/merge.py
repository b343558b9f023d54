"""How a later layer of a spec changes an earlier one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.errors import SpecError
from ganlab.schedules import is_schedule
from ganlab.spec.document import Key, Path, Value, dotted
from ganlab.spec.model import DataNode, OptimizerNode, platform_keys


@dataclass(frozen=True)
class Item:
    """The content of an overlay that changes one item of a list (or one number's entry of a mapping)."""

    index: int
    value: Value


def merge(base: Value, overlay: Value, path: Path = ()) -> Value:
    """`overlay` on top of `base`: mappings merge key by key, everything else replaces.

    A node written as a name is `{name: ...}`; when the name of a node changes, its earlier options go, except the
    keys that belong to the platform (such as the batch size of the data).
    """
    if isinstance(overlay.content, Item):
        return _merge_item(base, overlay.content, overlay, path)
    if _is_schedule(overlay.content):
        return complete(overlay, path)
    base, overlay = _as_nodes(base, overlay)
    if not (isinstance(base.content, dict) and isinstance(overlay.content, dict)):
        return complete(overlay, path)
    members = _kept(base.content, overlay.content, path)
    for key, member in overlay.content.items():
        below = (*path, key)
        members[key] = merge(members[key], member, below) if key in members else complete(member, below)
    return Value(members, base.origin)


def complete(value: Value, path: Path) -> Value:
    """A layer's value as it stands where nothing was before; an index has nothing to change there."""
    if isinstance(value.content, Item):
        raise SpecError(f"{value.origin}: {dotted(path)} is no list, so that it has no item {value.content.index}")
    if isinstance(value.content, dict):
        return Value({key: complete(member, (*path, key)) for key, member in value.content.items()}, value.origin)
    return value


def _merge_item(base: Value, item: Item, overlay: Value, path: Path) -> Value:
    below = (*path, item.index)
    if isinstance(base.content, dict):
        members: dict[Key, Value] = dict(base.content)
        previous = members.get(item.index)
        members[item.index] = merge(previous, item.value, below) if previous else complete(item.value, below)
        return Value(members, base.origin)
    if not isinstance(base.content, list):
        return complete(overlay, path)
    count = len(base.content)
    if item.index >= count:
        raise SpecError(f"{overlay.origin}: {dotted(path)} has {count} items, so that {item.index} is not one of them")
    items = list(base.content)
    items[item.index] = merge(items[item.index], item.value, below)
    return Value(items, base.origin)


def _as_nodes(base: Value, overlay: Value) -> tuple[Value, Value]:
    """Both sides as mappings where one is a node's plain name."""
    if _is_name(base.content) and isinstance(overlay.content, dict):
        base = Value({"name": base}, base.origin)
    elif isinstance(base.content, dict) and "name" in base.content and _is_name(overlay.content):
        overlay = Value({"name": overlay}, overlay.origin)
    return base, overlay


def _kept(base: Mapping[Key, Value], overlay: Mapping[Key, Value], path: Path) -> dict[Key, Value]:
    # The top-level `name` is the experiment's and not a node's.
    changed = path and "name" in base and "name" in overlay and base["name"].content != overlay["name"].content
    if not changed:
        return dict(base)
    owned = _platform_keys_at(path)
    return {key: member for key, member in base.items() if key in owned}


def _platform_keys_at(path: Path) -> frozenset[str]:
    if path == ("data",):
        return platform_keys(DataNode)
    return platform_keys(OptimizerNode) if len(path) == 2 and path[0] == "optimizers" else frozenset()


def _is_name(content: Any) -> bool:
    return isinstance(content, str) and "${" not in content


def _is_schedule(content: Any) -> bool:
    return is_schedule(content) and "name" not in content
