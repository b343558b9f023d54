"""Networks through `torch.compile`, as far as nothing differentiates them twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from torch import nn

from ganlab.errors import SpecError
from ganlab.training.module import GANModule

Compiled = Literal["none", "networks"] | Sequence[str]
"""Nothing, the networks of all players, or those of the players that are named."""


def check_compilation(module: GANModule, compiled: Compiled) -> list[str]:
    """The players whose networks are to be compiled.

    Raises `SpecError` for a player that there is not, for a game whose networks cannot be compiled, and for a penalty
    on a gradient of compiled networks: torch's compiled functions have no derivative of their gradient.
    """
    players = list(module.players())
    wanted = {"none": [], "networks": players}[compiled] if isinstance(compiled, str) else list(compiled)
    for player in wanted:
        if player not in players:
            raise SpecError(
                f"trainer.compile: there is no player '{player}'; choose from {', '.join(players)}, or write "
                "'networks' for all or 'none'"
            )
    if wanted and not getattr(module, "compiles", True):
        raise SpecError(
            f"trainer.compile: {type(module).__name__} changes its networks while it trains, so that they would be "
            "compiled again and again: write 'none'"
        )
    for term in module.regularizers:
        through: frozenset[str] = getattr(term.regularizer, "differentiates_twice", frozenset())
        for player in wanted:
            if player in through:
                raise SpecError(_refusal(term.name, player, [name for name in players if name not in through]))
    return wanted


def compile_networks(module: GANModule, compiled: Compiled, backend: str = "inductor") -> None:
    """Compile, in place, the networks that `check_compilation` lets pass; each at its first pass."""
    for player in check_compilation(module, compiled):
        for network in _networks(module.players()[player]):
            network.compile(backend=backend)


def _networks(part: nn.Module) -> Iterator[Any]:
    """The modules of a player that are called: those in a collection, or the player itself."""
    if isinstance(part, nn.ModuleDict | nn.ModuleList):
        for child in part.children():
            yield from _networks(child)
    else:
        yield part


def _refusal(penalty: str, player: str, others: list[str]) -> str:
    rest = f"write 'compile: [{', '.join(others)}]', or 'none'" if others else "write 'none'"
    return (
        f"trainer.compile: the penalty '{penalty}' differentiates a gradient of the {player}, and torch's compiled "
        f"networks have no second derivative: {rest}; a penalty from differences (finite_difference), where there is "
        "one, needs none either"
    )
