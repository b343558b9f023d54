"""The parameters of a sweep's results by their keys, and short names for these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ganlab.sweeps.results import Group, TrialResult


def parameter_of(owner: Group | TrialResult, key: str) -> Any:
    """The value of a key, which may be `spec` where the sweep varies that."""
    return owner.spec if key == "spec" else owner.parameters.get(key)


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """For each dotted key the shortest end of it that no other of them has, as in `generator.lr`."""
    return {key: _shortest(key, keys) for key in keys}


def _shortest(key: str, keys: Sequence[str]) -> str:
    parts = key.split(".")
    for start in range(len(parts) - 1, 0, -1):
        end = ".".join(parts[start:])
        others = [other for other in keys if other != key and (other == end or other.endswith(f".{end}"))]
        if not others and not end.isdigit() and not end[0].isdigit():
            return end
    return key
