"""Nodes, checked against the constructors of the plugins that they name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_origin

from ganlab.errors import PluginError
from ganlab.kinds import KINDS
from ganlab.plugin_contracts import load
from ganlab.plugins import Plugin, find
from ganlab.spec.annotations import alternatives, in_words, is_factory, nested_kind, nests, tells_of_input
from ganlab.spec.constructor import Constructor, Option, constructor_of, schedulable
from ganlab.spec.conversion import MismatchError, convert
from ganlab.spec.document import DEFAULT, Key, Origin, Path, Value, dotted
from ganlab.spec.model import Node, scheduled_paths
from ganlab.spec.names import missing_name, name_path, node_name, unknown_key
from ganlab.spec.presets import insert_nodes, preset_nodes
from ganlab.spec.problems import Problems
from ganlab.spec.sections import keys_of

MAX_PRESETS = 20
_OF_THE_SECTION = (
    "is a key of the spec's own section for plugins of this kind, which alone decides it for all that is nested in it; "
    "set it there and leave it out here"
)


def owner_of(kind: str, constructor: Constructor, *, in_section: bool = False) -> type[Node]:
    """Whose keys a node takes beside its plugin's options; a preset's are for the nodes that it stands for.

    `in_section` asks for a node in a section of the platform, and not in the options of a plugin.
    """
    if constructor.preset:
        return Node
    owner: type[Node] = KINDS[kind].section_node_type if in_section else KINDS[kind].node_type
    return owner


class _Wrong:
    """Stands for a value that has a problem, until all problems are raised."""


WRONG: Any = _Wrong()


class NodeResolver:
    """Resolves nodes and notes the origin of every value and all problems on the way."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.origins: dict[Path, Origin] = {}

    def node(self, kind: str, value: Value, path: Path, node_type: type[Node] | None = None) -> Any:
        """The node at `path`, checked; `WRONG` when anything in it is."""
        name = node_name(value)
        if name is None:
            return self._wrong(value.origin, path, missing_name(kind, value))
        try:
            plugin = find(kind, name.content)
            constructor = constructor_of(plugin)
        except PluginError as error:
            return self._wrong(name.origin, name_path(value, path), str(error))
        if constructor.preset:
            return self._wrong(
                name.origin, path, f"'{plugin.name}' is a preset, which only an option of a plugin can be"
            )
        self.origins[path] = value.origin
        self.origins[*path, "name"] = name.origin
        node_type = node_type or KINDS[kind].node_type
        members = self._expanded(plugin, constructor, _members(value), path)
        if members is WRONG:
            return WRONG
        self._refuse_unknown(plugin, members, ["name", *constructor.options, *keys_of(node_type)], path)
        owned = self._owned(node_type, members, constructor, path)
        options = self.options(plugin, constructor, members, value.origin, path, owned)
        if WRONG in options.values() or WRONG in owned.values():
            return WRONG
        return node_type(kind, plugin.name, options, plugin.distribution, **owned)

    def options(
        self,
        plugin: Plugin,
        constructor: Constructor,
        members: Mapping[Key, Value],
        origin: Origin,
        path: Path,
        owned: Iterable[str] = (),
    ) -> dict[str, Any]:
        """The values of a constructor's options, those that the spec leaves out with their defaults.

        `owned` are the platform's keys among the members, which even an open constructor does not get.
        """
        options: dict[str, Any] = {}
        for name, option in constructor.options.items():
            below = (*path, name)
            if name in members:
                options[name] = self._given(option, members[name], below, scheduled=schedulable(plugin, option))
            elif option.required:
                options[name] = self._wrong(origin, below, f"is missing: {plugin.name} needs {_wanted(option)}")
            elif not option.injected:
                self._fill_default(options, option, below)
        if constructor.open:
            known = {"name", *options, *owned}
            further = {key: member for key, member in members.items() if key not in known}
            options |= {str(key): self.leaf(Any, member, (*path, key)) for key, member in further.items()}
        return options

    def leaf(self, annotation: Any, value: Value, path: Path, *, scheduled: bool = False) -> Any:
        """A value without nodes in it, as its annotation wants it."""
        self.origins[path] = value.origin
        try:
            return convert(value.plain(), annotation, scheduled=scheduled)
        except MismatchError as mismatch:
            return self._wrong(value.origin, path, str(mismatch))

    def _given(self, option: Option, value: Value, path: Path, *, scheduled: bool) -> Any:
        if option.injected and (option.name in ("facts", "inputs") or tells_of_input(option.annotation)):
            return self._wrong(value.origin, path, "is taken from the data and cannot be set; leave it out")
        if nests(option.annotation):
            return self._nested(option.annotation, value, path)
        return self.leaf(option.annotation, value, path, scheduled=scheduled)

    def _nested(self, annotation: Any, value: Value, path: Path) -> Any:
        """A value that holds nodes: one, a list or a mapping of them, or null."""
        self.origins[path] = value.origin
        for part in alternatives(annotation):
            origin = get_origin(part)
            if part is type(None) and value.content is None:
                return None
            if isinstance(value.content, list) and isinstance(origin, type) and issubclass(origin, Sequence):
                items = [self._nested(get_args(part)[0], item, (*path, i)) for i, item in enumerate(value.content)]
                return WRONG if WRONG in items else tuple(items)
            if _is_plain_mapping(value) and isinstance(origin, type) and issubclass(origin, Mapping):
                inner = get_args(part)[1]
                nodes = {key: self._nested(inner, member, (*path, key)) for key, member in value.content.items()}
                return WRONG if WRONG in nodes.values() else nodes
        kinds = [kind for part in alternatives(annotation) if (kind := nested_kind(part))]
        repeatable = any(map(is_factory, alternatives(annotation)))
        combined = KINDS[kinds[0]].combined if kinds and isinstance(value.content, list) else None
        if combined:
            name, option = combined
            value = Value({"name": Value(name, value.origin), option: value}, value.origin)
        if not kinds or isinstance(value.content, list):
            return self._wrong(value.origin, path, f"needs {in_words(annotation)}")
        node = self.node(kinds[0], value, path)
        return self._repeatable(node, value.origin, path) if repeatable and node is not WRONG else node

    def _repeatable(self, node: Node, origin: Origin, path: Path) -> Any:
        """The node as one that is built several times; schedules have no place there."""
        for below in scheduled_paths(node, path):
            sentence = f"cannot follow a schedule, as {dotted(path)} is built several times; give it one number"
            return self._wrong(self.origins.get(below, origin), below, sentence)
        return dataclasses.replace(node, repeatable=True)

    def _fill_default(self, options: dict[str, Any], option: Option, path: Path) -> None:
        """Write a default out if a spec could have set it; otherwise it stays the constructor's affair."""
        self.origins[path] = DEFAULT
        if nests(option.annotation):
            empty = option.default is None and type(None) in alternatives(option.annotation)
            if empty or option.default == ():
                options[option.name] = option.default
            return
        try:
            options[option.name] = convert(option.default, option.annotation)
        except (MismatchError, TypeError):
            return

    def _owned(
        self, node_type: type[Node], members: Mapping[Key, Value], constructor: Constructor, path: Path
    ) -> dict[str, Any]:
        """The platform's keys of a node."""
        owned: dict[str, Any] = {}
        for key in keys_of(node_type).values():
            if key.name in node_type.yields & set(constructor.options):
                owned[key.name] = key.default
                continue
            below = (*path, key.name)
            self.origins[below] = DEFAULT
            given = members.get(key.name)
            owned[key.name] = key.default if given is None else self.leaf(key.annotation, given, below)
        return owned

    def _refuse_unknown(self, plugin: Plugin, members: Mapping[Key, Value], allowed: list[str], path: Path) -> None:
        if constructor_of(plugin).open:
            return
        of_section = keys_of(KINDS[plugin.kind].section_node_type)
        for key in (key for key in members if key not in allowed):
            sentence = _OF_THE_SECTION if key in of_section else unknown_key(key, allowed)
            self.problems.add(members[key].origin, (*path, key), sentence)

    def _expanded(self, plugin: Plugin, constructor: Constructor, members: dict[Key, Value], path: Path) -> Any:
        """The members of a node with the nodes of its presets in their places."""
        for _ in range(MAX_PRESETS):
            found = _first_preset(constructor, members)
            if found is None:
                return members
            preset, key, index = found
            value = members[key] if index is None else members[key].content[index]
            nodes = self._preset(preset, value, (*path, key))
            if nodes is WRONG:
                return WRONG
            members = insert_nodes(members, key, index, nodes)
        return self._wrong(
            Origin(f"plugin {plugin}"), path, f"holds more than {MAX_PRESETS} presets; do they name each other?"
        )

    def _preset(self, plugin: Plugin, value: Value, path: Path) -> Any:
        """What a preset stands for, called with the options of its node."""
        constructor = constructor_of(plugin)
        members = _members(value)
        self._refuse_unknown(plugin, members, ["name", *constructor.options], path)
        options = self.options(plugin, constructor, members, value.origin, path)
        if WRONG in options.values() or any(key not in constructor.options for key in members if key != "name"):
            return WRONG
        try:
            return preset_nodes(plugin, load(plugin)(**options).nodes)
        except (TypeError, ValueError) as error:
            return self._wrong(value.origin, path, f"{plugin.name} refuses these options: {error}")

    def _wrong(self, origin: Origin, path: Path, sentence: str) -> Any:
        self.problems.add(origin, path, sentence)
        return WRONG


def _members(value: Value) -> dict[Key, Value]:
    return value.content if isinstance(value.content, dict) else {"name": value}


def _wanted(option: Option) -> str:
    return in_words(option.annotation) + (f" ({option.text})" if option.text else "")


def _is_plain_mapping(value: Value) -> bool:
    return isinstance(value.content, dict) and "name" not in value.content


def _first_preset(constructor: Constructor, members: Mapping[Key, Value]) -> tuple[Plugin, str, int | None] | None:
    """The first preset among the nodes of a constructor's options: plugin, option and item of a list."""
    for name, index, item in _nested_values(constructor, members):
        for part in alternatives(constructor.options[name].annotation):
            inner = get_args(part)[0] if index is not None and get_args(part) else part
            kind = nested_kind(inner)
            plugin = _preset_in(kind, item) if kind else None
            if plugin:
                return plugin, name, index
    return None


def _nested_values(constructor: Constructor, members: Mapping[Key, Value]) -> Iterator[tuple[str, int | None, Value]]:
    """The values that stand where nodes may: option, place in its list or None, value."""
    for name, option in constructor.options.items():
        if name not in members or not nests(option.annotation):
            continue
        content = members[name].content
        if isinstance(content, list):
            yield from ((name, index, item) for index, item in enumerate(content))
        else:
            yield name, None, members[name]


def _preset_in(kind: str, value: Value) -> Plugin | None:
    name = node_name(value)
    try:
        plugin = find(kind, name.content) if name else None
        return plugin if plugin and constructor_of(plugin).preset else None
    except PluginError:
        return None  # the node itself will say so
