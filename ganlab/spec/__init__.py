"""From a YAML file to a checked, frozen spec, with the place of every value."""

from __future__ import annotations

import os
from collections.abc import Sequence

from ganlab.spec.document import Document, Origin, Value
from ganlab.spec.layers import load_spec
from ganlab.spec.model import Spec
from ganlab.spec.names import check_names
from ganlab.spec.render import dump, plain
from ganlab.spec.resolve import Resolution, resolve, resolve_with_origins

__all__ = [
    "Document",
    "Origin",
    "Resolution",
    "Spec",
    "Value",
    "check_names",
    "dump",
    "load_spec",
    "plain",
    "read_spec",
    "resolve",
    "resolve_with_origins",
]


def read_spec(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Spec:
    """Load and resolve a spec. Raises `SpecError` with all that is wrong with it."""
    return resolve(load_spec(path, overrides))
