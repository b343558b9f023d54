"""What files of a run tell of the spec that it was trained by."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from ganlab.facts import DataFacts
from ganlab.plugins import Plugin
from ganlab.spec.constructor import plugin_of
from ganlab.spec.model import Spec, nodes_within
from ganlab.spec.render import plain


def used_plugins(part: Any) -> list[Plugin]:
    """The plugins that a spec, or a part of one, names."""
    return [plugin_of(node) for node in nodes_within(part)]


def versions_of(part: Any) -> dict[str, str]:
    """Distribution and version of each plugin that a spec, or a part of one, names, by kind and name."""
    return {f"{used.kind}/{used.name}": f"{used.distribution} {used.version}" for used in used_plugins(part)}


def record_of_generator(spec: Spec, facts: DataFacts) -> dict[str, Any]:
    """All that its architecture can be built from again, in plain values, and the versions of what takes part.

    Nothing of the data but their facts, and no path but those among the architecture's own options.
    """
    return {
        "name": spec.name,
        "seed": spec.seed,
        "architecture": plain(spec.architecture),
        "facts": facts.to_record(),
        "averaged": spec.ema is not None and spec.ema.half_life_kimg is not None,
        "packages": {name: version(name) for name in ("ganlab", "torch")},
        "plugins": versions_of(spec.architecture),
    }
