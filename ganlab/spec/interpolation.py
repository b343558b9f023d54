"""Interpolation: `${other.key}` in a value, as OmegaConf resolves it."""

from __future__ import annotations

from typing import Any

from ganlab.errors import SpecError
from ganlab.spec.document import Path, Value, dotted, located


def resolve_interpolations(tree: Value) -> Value:
    """The same tree with every `${...}` replaced by what it refers to; origins stay where the text stands."""
    places = [path for path, leaf in tree.leaves() if isinstance(leaf.content, str) and "${" in leaf.content]
    if not places:
        return tree
    from omegaconf import OmegaConf

    config = OmegaConf.create(tree.plain())
    for path in places:
        tree = _replaced(tree, path, _resolved(config, tree, path))
    return tree


def _resolved(config: Any, tree: Value, path: Path) -> Value:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    origin = tree.get(*path).origin  # type: ignore[union-attr]
    try:
        node = config
        for key in path:
            node = node[key]
        content = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    except (OmegaConfBaseException, RecursionError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["it refers to itself"])[0]
        raise SpecError(f"{origin}: {dotted(path)}: the interpolation cannot be resolved: {reason}") from None
    return located(content, origin)


def _replaced(tree: Value, path: Path, value: Value) -> Value:
    if not path:
        return value
    key = path[0]
    members: Any = dict(tree.content) if isinstance(tree.content, dict) else list(tree.content)
    members[key] = _replaced(members[key], path[1:], value)
    return Value(members, tree.origin)
