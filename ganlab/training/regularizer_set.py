"""The regularizers of an architecture: which of them are due, their penalties, and what they do after updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.errors import UserError


def register_modules(owner: nn.Module, regularizers: Sequence[WeightedRegularizer]) -> list[WeightedRegularizer]:
    """Hang those regularizers that are modules into `owner`, to be saved and moved with it, and return all of them.

    Names are made unique. Raises `UserError` if `owner` does not provide what a regularizer requires.
    """
    stateful = nn.ModuleDict()
    seen: dict[str, int] = {}
    unique = []
    for term in regularizers:
        _check_provided(owner, term)
        count = seen[term.name] = seen.get(term.name, 0) + 1
        if count > 1:
            term.name = f"{term.name}_{count}"
        if isinstance(term.regularizer, nn.Module):
            stateful[term.name] = term.regularizer
        unique.append(term)
    owner.add_module("regularizer_modules", stateful)
    return unique


def due(regularizers: Sequence[WeightedRegularizer], player: str, update: int) -> list[WeightedRegularizer]:
    """Those that act on a player in one of its updates."""
    return [term for term in regularizers if term.regularizer.side == player and update % term.every == 0]


def weighted_penalties(terms: Sequence[WeightedRegularizer], views: Views) -> dict[str, Tensor]:
    """Penalties by name, times their weights and intervals."""
    return {
        term.name: term.regularizer.penalty(views) * (term.weight * term.every)
        for term in terms
        if hasattr(term.regularizer, "penalty")
    }


@torch.no_grad()
def act_after_update(terms: Sequence[WeightedRegularizer], player: nn.Module) -> None:
    """Let regularizers change a player's module, or their own state, after an update of that player."""
    for term in terms:
        if hasattr(term.regularizer, "after_update"):
            term.regularizer.after_update(player)


def _check_provided(owner: nn.Module, term: WeightedRegularizer) -> None:
    """Ask the object what the class could not say before it was built: its requirements may depend on its options."""
    provides: Any = getattr(owner, "provides", None)
    side, requires = term.regularizer.side, term.regularizer.requires
    if not isinstance(provides, Mapping):
        return
    lacking = sorted(requires - provides.get(side, frozenset()))
    if lacking:
        raise UserError(
            f"the regularizer '{term.name}', with these options, requires {', '.join(lacking)}, which "
            f"{type(owner).__name__} does not provide to the {side}"
        )
