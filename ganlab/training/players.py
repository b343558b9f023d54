"""The players of an architecture: their parameters, optimizers and averages, from the settings to the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn

from ganlab.contracts import Batch, DataFacts, WeightedRegularizer
from ganlab.distributed import Exchange
from ganlab.errors import SpecError
from ganlab.nn.autocast import is_autocast_somewhere
from ganlab.nn.committed import Committed
from ganlab.nn.memory_order import arrange
from ganlab.training.clock import Clock
from ganlab.training.ema import Averages
from ganlab.training.kept_measurements import KeptMeasurements
from ganlab.training.optimizers import load_optimizer
from ganlab.training.regularizer_set import named_uniquely
from ganlab.training.scalars import ScalarBuffer
from ganlab.training.scheduled_option import optimizer_option
from ganlab.training.settings import TrainingSettings
from ganlab.views import full_precision


class PlayersModule(LightningModule):
    """What the platform does for every architecture outside of its training step.

    Players are modules under the names in `player_names`, or what `players` returns. `averaged` names the modules of
    which an average is kept.
    """

    player_names: ClassVar[tuple[str, ...]] = ("discriminator", "generator")
    averaged: ClassVar[tuple[str, ...]] = ("generator",)
    settings: TrainingSettings
    facts: DataFacts
    averages: Averages
    trainable: dict[str, list[nn.Parameter]]

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.clock = Clock()
        self.scalars = ScalarBuffer()
        self.interrupt_requested = False  # set on this rank at any time, for example by a signal
        self.interrupted = False  # agreed between all ranks
        self.player_optimizers: dict[str, torch.optim.Optimizer] = {}
        self.kept_measurements: KeptMeasurements | None = None  # beside a generator that was opened to be sampled
        self.ready_for: object = None  # the weights and options for which `before_sampling` was called
        self._optimizer_states: Mapping[str, Any] = {}
        self._regularizers: Sequence[WeightedRegularizer] = ()
        self._committed: list[Committed] | None = None

    def measured(
        self, network: nn.Module, what: str, measure: Callable[[], Mapping[str, Tensor]]
    ) -> Mapping[str, Tensor]:
        """What `measure` returns of a network; for a run that is sampled, it is measured once and kept beside it.

        `what` says all that it depends on besides the network's weights, such as sampling options.
        """
        kept = self.kept_measurements
        return measure() if kept is None else kept.find(network, what, measure)

    def players(self) -> dict[str, nn.Module]:
        """The modules whose parameters each player owns, by player."""
        return {name: getattr(self, name) for name in self.player_names}

    @property
    def regularizers(self) -> Sequence[WeightedRegularizer]:
        """The regularizers of all players.

        When they are assigned, those that are modules become a part of this one: their state is saved and moved with
        it, and their parameters are trained by the player on their side. Names are made unique.
        """
        return self._regularizers

    @regularizers.setter
    def regularizers(self, terms: Sequence[WeightedRegularizer]) -> None:
        self._regularizers = named_uniquely(self, terms)
        self._committed = None
        self.add_module("regularizer_modules", _modules({term.name: term.regularizer for term in self._regularizers}))

    def keep_modules(self, name: str, parts: Sequence[Any]) -> Sequence[Any]:
        """Save and move those of the `parts` that are modules with this one, under a name; returns all of them."""
        self.add_module(name, _modules({str(index): part for index, part in enumerate(parts)}))
        return parts

    def prepare(self, settings: TrainingSettings) -> None:
        """Take the settings, check who owns which parameters, and start the averages."""
        self.settings = settings
        self.facts = settings.facts
        self.trainable = check_ownership(self, self.players(), settings.optimizers)
        self.in_order = arrange(self, settings.facts.is_images)
        for network in _networks(self.players().values()):
            network.register_forward_hook(_in_full_precision)
        self.averages = Averages(self.sources(), settings.half_life_kimg, settings.ramp_up, settings.average_from_kimg)
        self.exchanges = {player: Exchange(self, self.averages) for player in self.trainable}

    @property
    def committed(self) -> list[Committed]:
        """State that changes once an update: all but that of the averages, which follows."""
        if self._committed is None:
            copies = set(self.averages.modules())
            parts = (part for part in self.modules() if isinstance(part, Committed))
            self._committed = [part for part in parts if part not in copies]
        return self._committed

    def real_logits(self, batch: Batch) -> Tensor | None:
        """What the discriminator says of reals as in training; None for games without one that judges images."""
        return None

    def loss_of_ignorance(self) -> float | None:
        """The discriminator's loss where it knows nothing, all logits being 0; None where that means nothing."""
        return None

    def sources(self) -> dict[str, nn.Module]:
        """The modules that are averaged, as they are now."""
        return {name: getattr(self, name) for name in self.averaged}

    def network(self, name: str, averaged: bool = True) -> Any:
        """One of the modules named in `averaged`: its average, or as it is now."""
        return self.averages.copies[name] if averaged else getattr(self, name)

    def averaged_model(self, name: str) -> nn.Module:
        """The average of one of the modules named in `averaged`."""
        return self.averages.copies[name]

    @contextmanager
    def only(self, player: str) -> Iterator[None]:
        """Let gradients reach this player's parameters only."""
        others = [p for name, group in self.trainable.items() if name != player for p in group]
        for parameter in others:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in others:
                parameter.requires_grad_(True)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One optimizer for each player, with its schedules."""
        settings = self.settings
        self.player_optimizers = {
            player: settings.optimizers[player].factory(parameters) for player, parameters in self.trainable.items()
        }
        self.scheduled_options = [
            *settings.schedules,
            *(
                optimizer_option(f"optimizers.{player}.{option}", template, optimizer, option)
                for player, optimizer in self.player_optimizers.items()
                for option, template in settings.optimizers[player].schedules.items()
            ),
        ]
        self.restore_optimizers(self._optimizer_states)
        return list(self.player_optimizers.values())

    def restore_optimizers(self, states: Mapping[str, Any]) -> None:
        """Put saved states into the players' optimizers; those that do not exist yet get them when they are made."""
        self._optimizer_states = {} if self.player_optimizers else states
        for player, optimizer in self.player_optimizers.items():
            if player in states:
                load_optimizer(optimizer, states[player], self.settings.optimizers[player])


def check_ownership(
    module: PlayersModule, players: Mapping[str, nn.Module], optimizers: Iterable[str]
) -> dict[str, list[nn.Parameter]]:
    """The trainable parameters of each player, those of the regularizers on its side included.

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
        if not any(parameter.requires_grad for parameter in part.parameters()):
            raise SpecError(f"the player '{player}' has no parameters to train")
        owned = nn.ModuleList([part, *_penalties_with_parameters(module, player)])
        trainable[player] = [parameter for parameter in owned.parameters() if parameter.requires_grad]
        for name, parameter in owned.named_parameters():
            other = owner.setdefault(id(parameter), player)
            if other != player:
                raise SpecError(f"the players '{other}' and '{player}' share the parameter '{name.partition('.')[2]}'")
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in owner:
            raise SpecError(
                f"the parameter '{name}' of {type(module).__name__} is trainable but belongs to no player "
                f"({', '.join(players)}): move it into a player's module or freeze it"
            )
    return trainable


def _penalties_with_parameters(module: PlayersModule, player: str) -> list[nn.Module]:
    return [
        term.regularizer
        for term in module.regularizers
        if term.regularizer.side == player and isinstance(term.regularizer, nn.Module)
    ]


def _modules(parts: Mapping[str, Any]) -> nn.ModuleDict:
    return nn.ModuleDict({name: part for name, part in parts.items() if isinstance(part, nn.Module)})


def _networks(parts: Iterable[nn.Module]) -> Iterator[nn.Module]:
    """What is called: a dictionary or list of networks is not."""
    for part in parts:
        if isinstance(part, nn.ModuleDict | nn.ModuleList):
            yield from _networks(part.children())
        else:
            yield part


def _in_full_precision(network: nn.Module, inputs: Any, answer: Tensor) -> Any:
    """Under autocast, networks give losses and penalties float32."""
    return full_precision(answer) if is_autocast_somewhere() else answer
