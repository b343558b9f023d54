"""The regularizers of an architecture: which of them are due, their penalties, and what they do after updates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ganlab.contracts import WeightedRegularizer
from ganlab.errors import UserError
from ganlab.views import Views


def named_uniquely(owner: nn.Module, regularizers: Sequence[WeightedRegularizer]) -> list[WeightedRegularizer]:
    """The regularizers, those whose name has occurred before with a number behind it.

    Raises `UserError` if the architecture `owner` does not provide what a regularizer requires.
    """
    seen: dict[str, int] = {}
    unique = []
    for term in regularizers:
        _check_provided(owner, term)
        count = seen[term.name] = seen.get(term.name, 0) + 1
        if count > 1:
            term.name = f"{term.name}_{count}"
        unique.append(term)
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
    provides: Mapping[str, frozenset[str]] = owner.provides  # type: ignore[assignment]
    side, requires = term.regularizer.side, term.regularizer.requires
    lacking = sorted(requires - provides.get(side, frozenset())) if provides else []
    if lacking:
        raise UserError(
            f"the regularizer '{term.name}', with these options, requires {', '.join(lacking)}, which "
            f"{type(owner).__name__} does not provide to the {side}"
        )
