"""A spec to begin with, for a plugin that is only being written: everything else in it is installed and fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
import yaml

from ganlab.build import rehearse
from ganlab.builder import Builder
from ganlab.errors import PluginError, UserError
from ganlab.facts import DataFacts
from ganlab.kinds import KINDS
from ganlab.plugin_contracts import load
from ganlab.plugins import Plugin, installed
from ganlab.spec.constructor import constructor_of, plugin_of
from ganlab.spec.document import Document, Origin, located
from ganlab.spec.model import Node, Spec
from ganlab.spec.resolution import resolve

_WITH_PLACES_OF_THEIR_OWN = ("architectures", "datasets", "optimizers", "metrics")
_ANY_DATA = (DataFacts((1, 16, 16), 64, "grey"), DataFacts((3, 32, 32), 64, "colour"), DataFacts((2,), 64, "vectors"))


def starter_spec(kind: str, name: str) -> str | None:
    """A short training with a plugin that need not be installed yet, as YAML; None if nothing installed can use it.

    Imports the installed architectures and data sets, and takes the first ones that go together.
    """
    if kind not in _WITH_PLACES_OF_THEIR_OWN and not KINDS[kind].slot:
        return None
    for tree, spec in _trainings():
        if kind == "datasets" and not _takes_any_data(spec.architecture):
            continue
        placed = _placed(tree | {"name": name}, spec, kind, name)
        if placed is not None:
            text: str = yaml.safe_dump(placed, sort_keys=False, default_flow_style=None)
            return text
    return None


def _trainings() -> Iterator[tuple[dict[str, Any], Spec]]:
    """Specs of installed parts that pass all checks, as they are written and resolved; those with few parts first."""
    for architecture in sorted(installed("architectures"), key=lambda plugin: len(_example(plugin))):
        for data in installed("datasets"):
            try:
                tree = _tree(architecture, data)
                spec = resolve(Document("starter.yaml", located(tree, Origin("starter.yaml"))))
                remark = rehearse(spec)
            except UserError:
                continue
            if remark is None:
                yield tree, spec


def _tree(architecture: Plugin, data: Plugin) -> dict[str, Any]:
    players = getattr(load(architecture), "player_names", ())
    return {
        "name": "starter",
        "kimg": 1,
        "data": {**_example(data), "batch_size": 16},
        "architecture": _example(architecture),
        "optimizers": {player: {"name": "adam", "lr": 1e-3, "betas": [0.0, 0.99]} for player in players},
        "evaluation": None,
        "snapshots": {"every_kimg": 0.5, "grid": [4, 4]},
    }


def _example(plugin: Plugin) -> dict[str, Any]:
    """The node of a plugin's smallest sensible instance."""
    return {"name": plugin.name, **_plain(getattr(load(plugin), "example", {}))}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _takes_any_data(node: Node) -> bool:
    try:
        with torch.device("meta"):
            for facts in _ANY_DATA:
                Builder(facts).construct(node, "architecture")
    except UserError:
        return False
    return True


def _placed(tree: dict[str, Any], spec: Spec, kind: str, name: str) -> dict[str, Any] | None:
    """The spec with the plugin in it; None where its architecture has no place for one of this kind."""
    node = {"name": name}
    if kind == "architectures":
        return tree | {"architecture": node}
    if kind == "datasets":
        return tree | {"data": node | {"batch_size": 16}}
    if kind == "optimizers":
        return tree | {"optimizers": dict.fromkeys(tree["optimizers"], node)}
    if kind == "metrics":
        return tree | {"evaluation": {"every_kimg": 0.5, "metrics": [node], "samples": 64}}
    slot = KINDS[kind].slot
    assert slot
    changed = _with_slot(tree["architecture"], spec.architecture, slot, node)
    return None if changed is None else tree | {"architecture": changed}


def _with_slot(written: Any, node: Node, slot: str, value: dict[str, Any]) -> dict[str, Any] | None:
    """A node as it is written with an option set, in itself or in the first nested node that has this option."""
    members = dict(written) if isinstance(written, Mapping) else {"name": written}
    try:
        options = constructor_of(plugin_of(node)).options
    except PluginError:
        return None
    if slot in options:
        return members | {slot: [value] if options[slot].default == () else value}
    for option, nested in node.options.items():
        if isinstance(nested, Node):
            changed = _with_slot(members.get(option, nested.name), nested, slot, value)
            if changed is not None:
                return members | {option: changed}
    return None
