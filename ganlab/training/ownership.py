"""The check that players own disjoint parameters and together all that are trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import nn

from ganlab.errors import SpecError


def check_ownership(
    module: nn.Module, players: Mapping[str, nn.Module], optimizers: Iterable[str]
) -> dict[str, list[nn.Parameter]]:
    """The trainable parameters of each player.

    Raises `SpecError` if players and optimizers do not match, if two players share a parameter, if a parameter
    belongs to nobody, or if a player has nothing to train.
    """
    if set(players) != set(optimizers):
        raise SpecError(
            f"optimizers: the players of {type(module).__name__} are {', '.join(players)}, "
            f"but the spec has optimizers for {', '.join(optimizers) or 'nobody'}"
        )
    owner: dict[int, str] = {}
    trainable: dict[str, list[nn.Parameter]] = {}
    for player, part in players.items():
        trainable[player] = [parameter for parameter in part.parameters() if parameter.requires_grad]
        if not trainable[player]:
            raise SpecError(f"the player '{player}' has no parameters to train")
        for name, parameter in part.named_parameters():
            other = owner.setdefault(id(parameter), player)
            if other != player:
                raise SpecError(f"the players '{other}' and '{player}' share the parameter '{name}'")
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in owner:
            raise SpecError(
                f"the parameter '{name}' of {type(module).__name__} is trainable but belongs to no player "
                f"({', '.join(players)}): move it into a player's module or freeze it"
            )
    return trainable
