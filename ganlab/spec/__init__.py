"""From a YAML file to a checked, frozen spec, with the place of every value."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganlab.spec.document import Document, Origin, Value
    from ganlab.spec.layers import load_spec
    from ganlab.spec.model import Spec
    from ganlab.spec.names import check_names
    from ganlab.spec.render import dump, plain
    from ganlab.spec.resolution import Resolution, node_from, node_of_text, resolve, resolve_with_origins

_PUBLIC = {
    "Document": "document",
    "Origin": "document",
    "Resolution": "resolution",
    "Spec": "model",
    "Value": "document",
    "check_names": "names",
    "dump": "render",
    "load_spec": "layers",
    "node_from": "resolution",
    "node_of_text": "resolution",
    "plain": "render",
    "resolve": "resolution",
    "resolve_with_origins": "resolution",
}

__all__ = [
    "Document",
    "Origin",
    "Resolution",
    "Spec",
    "Value",
    "check_names",
    "dump",
    "load_spec",
    "node_from",
    "node_of_text",
    "plain",
    "read_spec",
    "resolve",
    "resolve_with_origins",
]


def read_spec(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Spec:
    """Load and resolve a spec. Raises `SpecError` with all that is wrong with it."""
    from ganlab.spec.layers import load_spec
    from ganlab.spec.resolution import resolve

    return resolve(load_spec(path, overrides))


def __getattr__(name: str) -> Any:
    # Lazy, so that whoever needs the dataclasses of `model` alone does not wait for a YAML reader.
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ganlab.spec' has no attribute '{name}'")
    return getattr(importlib.import_module(f"ganlab.spec.{_PUBLIC[name]}"), name)
