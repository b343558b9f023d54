"""Installed plugins, found in entry-point metadata without importing anything; `plugin_contracts` loads them."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from ganlab.errors import PluginError
from ganlab.kinds import KINDS
from ganlab.suggestions import did_you_mean


@dataclass(frozen=True)
class Plugin:
    """One entry point as its metadata tell it; `target` is `module:attribute`."""

    kind: str
    name: str
    distribution: str
    version: str
    target: str

    @property
    def reference(self) -> str:
        """The name that picks this plugin among others of the same name."""
        return f"{self.distribution}/{self.name}"

    def __str__(self) -> str:
        return f"'{self.name}' ({self.kind}, {self.distribution} {self.version})"


def installed(kind: str | None = None) -> list[Plugin]:
    """All plugins, or those of one kind, by kind, name and distribution; nothing is imported."""
    found = _scan(tuple(sys.path), tuple(KINDS))
    if kind is None:
        return [plugin for plugins in found.values() for plugin in plugins]
    return list(found[known_kind(kind)])


def known_kind(kind: str) -> str:
    """`kind` itself, or a `PluginError` that lists the kinds."""
    if kind not in KINDS:
        raise PluginError(f"there is no kind '{kind}'; the kinds are {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
    return kind


def find(kind: str, reference: str) -> Plugin:
    """The plugin that `reference`, a name or `distribution/name`, means; nothing is imported.

    A plugin that left a distribution is found under it as well if that says where it is, in the group `ganlab.moved`.
    Raises `PluginError` when there is none (with the nearest spelling) or when several distributions offer it.
    """
    distribution, _, name = reference.rpartition("/")
    named = [plugin for plugin in installed(kind) if plugin.name == name]
    matches = [plugin for plugin in named if not distribution or _same(plugin.distribution, distribution)]
    matches = matches or _moved(kind, distribution, name, named)
    if not matches:
        raise PluginError(_unknown(kind, reference, named))
    if len(matches) > 1:
        raise PluginError(_ambiguous(kind, name, matches))
    return matches[0]


@functools.lru_cache(maxsize=8)
def _scan(path: tuple[str, ...], kinds: tuple[str, ...]) -> dict[str, list[Plugin]]:
    """Plugins by kind; `path` is only a part of the key, as metadata are looked up along `sys.path`."""
    everything = entry_points()
    return {kind: _of_kind(kind, everything.select(group=f"ganlab.{kind}")) for kind in kinds}


def _of_kind(kind: str, entries: Iterable[EntryPoint]) -> list[Plugin]:
    """One plugin for each name of each distribution: metadata seen twice on the path are no collision."""
    found: dict[tuple[str, str], Plugin] = {}
    for entry in entries:
        assert entry.dist is not None, "entry points of installed distributions know their distribution"
        plugin = Plugin(kind, entry.name, entry.dist.name, entry.dist.version, entry.value)
        found.setdefault((plugin.name, _canonical(plugin.distribution)), plugin)
    return [found[key] for key in sorted(found)]


def _moved(kind: str, distribution: str, name: str, named: list[Plugin]) -> list[Plugin]:
    """Plugins of a name that have left a distribution, which tells where they are now."""
    entries = entry_points(group="ganlab.moved", name=f"{kind}.{name}")
    targets = {entry.value for entry in entries if entry.dist is not None and _same(entry.dist.name, distribution)}
    return [plugin for plugin in named if plugin.target in targets]


def _unknown(kind: str, reference: str, same_name: list[Plugin]) -> str:
    name = reference.rpartition("/")[2]
    sentence = f"there is no plugin '{reference}' among the {kind}"
    if same_name:
        return f"{sentence}; '{name}' comes from: {', '.join(plugin.reference for plugin in same_name)}"
    names = sorted({plugin.name for plugin in installed(kind)})
    sentence += f"; installed: {', '.join(names) or 'none'}"
    elsewhere = sorted({plugin.kind for plugin in installed() if plugin.name == name})
    if elsewhere:
        sentence += f"; '{name}' exists among the {', '.join(elsewhere)}"
    return sentence + did_you_mean(name, names)


def _ambiguous(kind: str, name: str, matches: list[Plugin]) -> str:
    offers = " and ".join(f"{plugin.distribution} {plugin.version}" for plugin in matches)
    choices = " or ".join(f"'{plugin.reference}'" for plugin in matches)
    return f"'{name}' among the {kind} is offered by {offers}; write {choices} to pick one"


def _same(left: str, right: str) -> bool:
    return _canonical(left) == _canonical(right)


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
