"""Regularizers that have state are modules of their architecture, so that they are saved and moved with it."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from ganlab.contracts import WeightedRegularizer


def register_modules(owner: nn.Module, regularizers: Sequence[WeightedRegularizer]) -> list[WeightedRegularizer]:
    """Hang those regularizers that are modules into `owner` and return all of them, names made unique."""
    stateful = nn.ModuleDict()
    seen: dict[str, int] = {}
    unique = []
    for term in regularizers:
        count = seen[term.name] = seen.get(term.name, 0) + 1
        if count > 1:
            term.name = f"{term.name}_{count}"
        if isinstance(term.regularizer, nn.Module):
            stateful[term.name] = term.regularizer
        unique.append(term)
    owner.add_module("regularizer_modules", stateful)
    return unique
