"""The first look at a spec: its keys and the plugins that it names, without importing anything heavy."""

from __future__ import annotations

from collections.abc import Iterable

from ganlab.errors import PluginError
from ganlab.kinds import kind_of_slot
from ganlab.plugins import find, installed
from ganlab.spec.document import Document, Path, Value
from ganlab.spec.model import Spec
from ganlab.spec.problems import Problems
from ganlab.spec.sections import MISSING, SLOTS, keys_of
from ganlab.suggestions import did_you_mean


def check_names(document: Document) -> None:
    """Raise one `SpecError` for all unknown and missing keys of sections and all unknown plugins in the slots that
    the platform knows; what a plugin's constructor takes is left to `resolve`.
    """
    problems = Problems()
    _check_section(Spec, document.tree, (), problems)
    problems.raise_if_any()


def unknown_key(key: object, allowed: Iterable[str]) -> str:
    """The sentence about a key that nothing knows."""
    words = list(allowed)
    return f"unknown key; allowed here: {', '.join(words) or 'no keys at all'}{did_you_mean(key, words)}"


def node_name(value: Value) -> Value | None:
    """The name in a node, which is written as a name or as a mapping with `name`; None where there is none."""
    name = value.content.get("name") if isinstance(value.content, dict) else value
    return name if name is not None and isinstance(name.content, str) and name.content else None


def name_path(value: Value, path: Path) -> Path:
    """The path of the name of a node at `path`."""
    return (*path, "name") if isinstance(value.content, dict) else path


def missing_name(kind: str, value: Value) -> str:
    """The sentence about a node without a name."""
    names = ", ".join(sorted({plugin.name for plugin in installed(kind)}))
    sentence = f"needs a name, or a mapping with 'name' and options; {kind}: {names or 'none installed'}"
    keys = ", ".join(map(str, value.content)) if isinstance(value.content, dict) else ""
    return sentence + (f"; it has only the keys {keys}" if keys and "name" not in value.content else "")


def _check_section(section: type, value: Value, path: Path, problems: Problems) -> None:
    known = keys_of(section)
    for name, member in value.content.items():
        below = (*path, name)
        if name not in known:
            problems.add(member.origin, below, unknown_key(name, known))
        elif below in SLOTS:
            _check_slot(member, below, problems)
        elif inner := known[name].section:
            _check_subsection(inner, member, below, problems, optional=known[name].optional)
    for name, key in known.items():
        if key.default is MISSING and name not in value.content:
            problems.add(value.origin, (*path, name), "is missing, and has no default")


def _check_subsection(section: type, value: Value, path: Path, problems: Problems, *, optional: bool) -> None:
    if isinstance(value.content, dict):
        _check_section(section, value, path, problems)
    elif value.content is not None or not optional:
        off = ", or null to do without" if optional else ""
        problems.add(value.origin, path, f"needs a mapping with some of the keys {', '.join(keys_of(section))}{off}")


def _check_slot(value: Value, path: Path, problems: Problems) -> None:
    kind = SLOTS[path]
    if kind == "optimizers":
        if not isinstance(value.content, dict) or "name" in value.content:
            sentence = "needs a mapping of players to optimizers, such as {generator: adam, discriminator: adam}"
            problems.add(value.origin, path, sentence)
            return
        nodes = [(member, (*path, player)) for player, member in value.content.items()]
    elif kind == "metrics":
        if not isinstance(value.content, list):
            problems.add(value.origin, path, "needs a list of metrics, such as [a, {name: b}]")
            return
        nodes = [(item, (*path, index)) for index, item in enumerate(value.content)]
    else:
        nodes = [(value, path)]
    for node, place in nodes:
        _check_node(kind, node, place, problems)
        _check_nested(node, place, problems)


def _check_nested(value: Value, path: Path, problems: Problems) -> None:
    """Look up the plugins in a node's options as far as the options' names tell their kinds."""
    if not isinstance(value.content, dict):
        return
    for key, member in value.content.items():
        items = enumerate(member.content) if isinstance(member.content, list) else [(None, member)]
        for index, item in items:
            place = (*path, key) if index is None else (*path, key, index)
            kind = kind_of_slot(key)
            if kind and node_name(item) is not None:
                _check_node(kind, item, place, problems)
            _check_nested(item, place, problems)


def _check_node(kind: str, value: Value, path: Path, problems: Problems) -> None:
    name = node_name(value)
    if name is None:
        problems.add(value.origin, path, missing_name(kind, value))
        return
    try:
        find(kind, name.content)
    except PluginError as error:
        problems.add(name.origin, name_path(value, path), str(error))
