"""JSON Schema (draft 2020-12) of specs with everything installed, so that editors complete and check them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args, get_origin

from ganlab.errors import PluginError
from ganlab.kinds import KINDS, Kind
from ganlab.plugins import Plugin, installed
from ganlab.spec.annotations import alternatives, may_be_scheduled, nested_kind, nests
from ganlab.spec.constructor import Constructor, constructor_of, option_text, schedulable
from ganlab.spec.conversion import json_schema_of
from ganlab.spec.model import Node, Spec
from ganlab.spec.node_resolver import owner_of
from ganlab.spec.render import plain
from ganlab.spec.sections import MISSING, SLOTS, Key, keys_of

Schema = dict[str, Any]

_INTERPOLATION: Schema = {"type": "string", "pattern": r"\$\{.+\}"}
_NUMBER: Schema = {"anyOf": [{"type": "number"}, _INTERPOLATION]}
_LENGTH: Schema = {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, _INTERPOLATION]}
_RAMP: Schema = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}


def _ramp(shape: str, unit: str) -> Schema:
    return {
        "type": "object",
        "properties": {shape: _RAMP, f"over_{unit}": _LENGTH, f"from_{unit}": _NUMBER},
        "required": [shape, f"over_{unit}"],
        "additionalProperties": False,
    }


def _table(shape: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            shape: {"type": "object", "additionalProperties": _NUMBER},
            "in": {"enum": ["kimg", "rounds"]},
        },
        "required": [shape],
        "additionalProperties": False,
    }


_FIXED: Mapping[str, Schema] = {
    "interpolation": _INTERPOLATION,
    "schedule": {
        "anyOf": [
            *(_ramp(shape, unit) for shape in ("linear", "cosine") for unit in ("kimg", "rounds")),
            *map(_table, ("steps", "points")),
        ]
    },
}


def json_schema(warn: Callable[[str], None]) -> Schema:
    """The schema of a spec; `warn` hears of plugins that cannot be loaded and are left out.

    A spec that extends another may leave out what the other gives, so that only specs that stand alone are
    required to be complete.
    """
    definitions: dict[str, Schema] = dict(_FIXED)
    for kind in KINDS.values():
        definitions[kind.name] = _kind(kind, definitions, warn, in_section=False)
        if kind.section_node:
            definitions[_section_name(kind.name)] = _kind(kind, definitions, _said_before, in_section=True)
    root = _section(Spec, ())
    path: Schema = {"type": "string"}
    root["properties"] = {"extends": {"anyOf": [path, {"type": "array", "items": path}]}} | root["properties"]
    required = [name for name, key in keys_of(Spec).items() if key.default is MISSING]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ganlab spec",
        **root,
        "if": {"not": {"required": ["extends"]}},
        "then": {"required": required},
        "$defs": definitions,
    }


def _said_before(sentence: str) -> None:
    """Warn of nothing: the definition of the same kind's nested nodes has done so."""


def _section_name(kind: str) -> str:
    """The definition of the nodes of a kind that stand in a section of the platform."""
    return f"{kind}.section" if KINDS[kind].section_node else kind


def _kind(kind: Kind, definitions: dict[str, Schema], warn: Callable[[str], None], *, in_section: bool) -> Schema:
    names: list[str] = []
    references: list[str] = []
    nodes: list[Schema] = []
    rivals = [plugin.name for plugin in installed(kind.name)]
    for plugin in installed(kind.name):
        try:
            constructor = constructor_of(plugin)
        except PluginError as error:
            warn(str(error))
            continue
        plain_names = [plugin.name] if rivals.count(plugin.name) == 1 else []
        full_name = re.escape(plugin.reference)
        names += plain_names
        references.append(full_name)
        owner = owner_of(kind.name, constructor, in_section=in_section)
        nodes.append(_node(plugin, constructor, owner, _names(plain_names, [full_name]), definitions))
    partial: Schema = {"type": "object", "not": {"required": ["name"]}, "description": "Changes a node of a base file."}
    return {"anyOf": [_names(names, references), *nodes, partial, {"$ref": "#/$defs/interpolation"}]}


def _names(names: list[str], references: list[str]) -> Schema:
    """Plain names, which editors offer, or the same with their distributions, which they accept."""
    full: Schema = {"type": "string", "pattern": f"^({'|'.join(references)})$"}
    return {"anyOf": [{"enum": names}, full]} if names else full


def _node(
    plugin: Plugin, constructor: Constructor, owner: type[Node], names: Schema, definitions: dict[str, Schema]
) -> Schema:
    properties: dict[str, Schema] = {"name": names}
    for name, option in constructor.options.items():
        schema = _value(option.annotation, definitions, plugin, scheduled=schedulable(plugin, option))
        properties[name] = schema | ({"description": option.text} if option.text else {})
    keys = [key for key in keys_of(owner).values() if key.name not in owner.yields & set(properties)]
    properties |= {key.name: _leaf_of_section(owner, key) for key in keys}
    return {
        "type": "object",
        "description": constructor.text.split("\n\n")[0],
        "properties": properties,
        "required": ["name"],
        "additionalProperties": constructor.open,
    }


def _section(section: type, path: tuple[str, ...]) -> Schema:
    properties = {name: _member(section, key, (*path, name)) for name, key in keys_of(section).items()}
    return {
        "type": "object",
        "description": (inspect.getdoc(section) or "").split("\n\n")[0],
        "properties": properties,
        "additionalProperties": False,
    }


def _member(section: type, key: Key, path: tuple[str, ...]) -> Schema:
    null: list[Schema] = [{"type": "null"}] if key.optional else []
    if kind := SLOTS.get(path):
        node: Schema = {"$ref": f"#/$defs/{_section_name(kind)}"}
        if kind == "optimizers":
            return {"type": "object", "additionalProperties": node}
        return {"type": "array", "items": node} if kind == "metrics" else node
    if key.section:
        inner = _section(key.section, path)
        return {"anyOf": [inner, *null]} if null else inner
    return _leaf_of_section(section, key)


def _leaf_of_section(section: type, key: Key) -> Schema:
    schema = _leaf(json_schema_of(key.annotation), scheduled=may_be_scheduled(key.annotation))
    text = option_text(inspect.getdoc(section) or "", key.name)
    schema |= {"description": text} if text else {}
    return schema | ({} if key.default is MISSING else {"default": plain(key.default)})


def _value(annotation: Any, definitions: dict[str, Schema], plugin: Plugin, *, scheduled: bool) -> Schema:
    if nests(annotation):
        return {"anyOf": [_nested(part) for part in alternatives(annotation)]}
    schema = json_schema_of(annotation, f"{plugin.kind}.{plugin.reference}.".replace("/", "."))
    definitions.update(schema.pop("$defs", {}))
    return _leaf(schema, scheduled=scheduled)


def _nested(annotation: Any) -> Schema:
    if kind := nested_kind(annotation):
        node: Schema = {"$ref": f"#/$defs/{kind}"}
        return {"anyOf": [node, {"type": "array", "items": node}]} if KINDS[kind].combined else node
    origin, parameters = get_origin(annotation), get_args(annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": {"anyOf": [_nested(p) for p in alternatives(parameters[1])]}}
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return {"type": "array", "items": {"anyOf": [_nested(part) for part in alternatives(parameters[0])]}}
    return {"type": "null"} if annotation is type(None) else {}


def _leaf(schema: Schema, *, scheduled: bool) -> Schema:
    schema = _with_schedules(schema) if scheduled else schema
    return {"anyOf": [schema, {"$ref": "#/$defs/interpolation"}]} if schema else {}


def _with_schedules(schema: Schema) -> Schema:
    """The schema with a schedule beside every number."""
    if schema.get("type") in ("number", "integer"):
        return {"anyOf": [schema, {"$ref": "#/$defs/schedule"}]}
    parts = {
        name: [_with_schedules(part) for part in schema[name]] for name in ("anyOf", "prefixItems") if name in schema
    }
    items = {"items": _with_schedules(schema["items"])} if isinstance(schema.get("items"), dict) else {}
    return schema | parts | items
