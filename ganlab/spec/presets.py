"""Presets: a plugin that stands for several nodes, which take its place in the node that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganlab.plugins import Plugin
from ganlab.schedules import Schedule
from ganlab.spec.document import Key, Origin, Value, located
from ganlab.spec.names import node_name


def preset_nodes(plugin: Plugin, nodes: Mapping[str, Any]) -> Value:
    """What a preset returned as values of a spec, with the preset as their origin."""
    return located(_written(nodes), Origin(f"preset {plugin.name} ({plugin.distribution})"))


def insert_nodes(holder: Mapping[Key, Value], key: str, index: int | None, nodes: Value) -> dict[Key, Value]:
    """The holder's members with a preset's nodes in the place of the preset, at `key` (item `index` of a list).

    Lists come in front of what the spec lists, without the nodes whose name or alias the spec lists itself; of all
    else the spec's own values win.
    """
    members = dict(holder)
    if index is None:
        del members[key]
    else:
        items = members[key].content
        members[key] = Value(items[:index] + items[index + 1 :], members[key].origin)
    for name, value in nodes.content.items():
        own = members.get(name)
        if own is None:
            members[name] = value
        elif isinstance(own.content, list) and isinstance(value.content, list):
            members[name] = Value(_in_front(value.content, own.content), own.origin)
    return members


def _in_front(preset: list[Value], own: list[Value]) -> list[Value]:
    names = {_own_name(item) for item in own}
    return [item for item in preset if _own_name(item) not in names] + own


def _own_name(value: Value) -> str | None:
    """What a node is called in the log: two of one plugin stand beside each other if they have different aliases."""
    alias = value.get("alias")
    name = alias if alias is not None and isinstance(alias.content, str) else node_name(value)
    return None if name is None else name.content.rpartition("/")[2]


def _written(content: Any) -> Any:
    """A preset's content as it is written in a spec."""
    if isinstance(content, Schedule):
        return content.to_node()
    if isinstance(content, Mapping):
        return {key: _written(member) for key, member in content.items()}
    return [_written(item) for item in content] if isinstance(content, list | tuple) else content
