"""The platform's own sections, checked and made into the dataclasses of `model`."""

from __future__ import annotations

import dataclasses
from typing import Any

from ganlab.kinds import KINDS
from ganlab.spec.document import DEFAULT, Path, Value
from ganlab.spec.node_resolver import WRONG, NodeResolver
from ganlab.spec.sections import MISSING, SLOTS, Key, keys_of


class SectionResolver(NodeResolver):
    """Resolves sections; the keys have passed `check_names` before."""

    def section(self, section: type, value: Value, path: Path) -> Any:
        """The section as its dataclass; `WRONG` when any of its values is."""
        self.origins[path] = value.origin
        members = {key.name: self._member(key, value.content, (*path, key.name)) for key in keys_of(section).values()}
        return WRONG if WRONG in members.values() else section(**members)

    def _member(self, key: Key, members: dict[str, Value], path: Path) -> Any:
        if key.name not in members:
            self._note_default(key.default, path)
            return key.default
        value = members[key.name]
        if path in SLOTS:
            return self._slot(SLOTS[path], value, path)
        if key.section and value.content is not None:
            return self.section(key.section, value, path)
        return self.leaf(key.annotation, value, path)

    def _slot(self, kind: str, value: Value, path: Path) -> Any:
        node_type = KINDS[kind].section_node_type
        if kind == "optimizers":
            nodes = {
                player: self.node(kind, member, (*path, player), node_type) for player, member in value.content.items()
            }
            return WRONG if WRONG in nodes.values() else nodes
        if kind == "metrics":
            metrics = tuple(
                self.node(kind, item, (*path, index), node_type) for index, item in enumerate(value.content)
            )
            return WRONG if WRONG in metrics else metrics
        return self.node(kind, value, path, node_type)

    def _note_default(self, default: Any, path: Path) -> None:
        assert default is not MISSING, "required keys are checked by check_names"
        self.origins[path] = DEFAULT
        if dataclasses.is_dataclass(default):
            for field in dataclasses.fields(default):
                self._note_default(getattr(default, field.name), (*path, field.name))
