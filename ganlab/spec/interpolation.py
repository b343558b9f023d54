"""Interpolation: `${other.key}` in a value, as OmegaConf resolves it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ganlab.errors import SpecError
from ganlab.spec.document import Path, Value, dotted, located


def resolve_interpolations(tree: Value) -> Value:
    """The same tree with every `${...}` replaced by what it refers to; origins stay where the text stands."""
    places = [(path, leaf) for path, leaf in tree.leaves() if isinstance(leaf.content, str) and "${" in leaf.content]
    if not places:
        return tree
    from omegaconf import OmegaConf

    for path, leaf in places:
        with _blaming(leaf, path):  # alone first, so that text which is no interpolation is blamed on its own key
            OmegaConf.create({"text": leaf.content})
    config = OmegaConf.create(tree.plain())
    for path, leaf in places:
        with _blaming(leaf, path):
            tree = _replaced(tree, path, located(_resolved(config, path), leaf.origin))
    return tree


def _resolved(config: Any, path: Path) -> Any:
    from omegaconf import OmegaConf

    node = config
    for key in path:
        node = node[key]
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


@contextmanager
def _blaming(leaf: Value, path: Path) -> Iterator[None]:
    """Turn OmegaConf's errors into sentences about one value."""
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (OmegaConfBaseException, RecursionError, ValueError) as error:
        reason = (str(error).strip().splitlines() or ["it refers to itself"])[0]
        raise SpecError(f"{leaf.origin}: {dotted(path)}: the interpolation cannot be resolved: {reason}") from None


def _replaced(tree: Value, path: Path, value: Value) -> Value:
    if not path:
        return value
    key = path[0]
    members: Any = dict(tree.content) if isinstance(tree.content, dict) else list(tree.content)
    members[key] = _replaced(members[key], path[1:], value)
    return Value(members, tree.origin)
