"""GANModule: the training step of every architecture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_

from ganlab.contracts import Batch, DataFacts, PlayerOptimizer, Views, WeightedRegularizer
from ganlab.data.step_batch import StepBatch
from ganlab.distributed import Exchange, rank
from ganlab.nn.autocast import without_autocast
from ganlab.nn.memory_order import arrange
from ganlab.randomness import Randomness, derive_seed, seed_networks
from ganlab.schedules import Schedule
from ganlab.training.clock import Clock
from ganlab.training.ema import Averages
from ganlab.training.guard import Guard, NonFiniteGradient
from ganlab.training.optimizers import load_optimizer
from ganlab.training.ownership import check_ownership
from ganlab.training.regularizer_set import act_after_update, due, weighted_penalties
from ganlab.training.scalars import ScalarBuffer
from ganlab.training.scheduled_option import ScheduledOption, optimizer_option

Terms = Mapping[str, Tensor]


@dataclass
class TrainingSettings:
    """What the platform gives an architecture for training, beside its networks."""

    facts: DataFacts
    optimizers: Mapping[str, PlayerOptimizer]
    seed: int = 0
    batch_size: int = 64
    micro_batch: int | None = None
    half_life_kimg: float | Schedule | None = 10.0
    ramp_up: float | None = 0.05
    guard: Guard = field(default_factory=Guard)
    schedules: Sequence[ScheduledOption] = ()
    penalty_precision: Literal["float32", "same"] = "float32"


class GANModule(LightningModule):
    """Base of all architectures: players take turns, each minimising the sum of its named terms.

    A family writes `<player>_terms(batch)` for each of its players and `sample`. Players are modules under the names
    in `player_names`; the discriminator is updated `discriminator_steps` times on fresh reals, then each other
    player once on the last of these batches. `averaged` names the modules of which an average is kept and
    `provides` the views that each player offers to regularizers. An algorithm with another order of updates
    overrides `play` and still calls `update`. Images, and networks that do not say `channels_last = False`, lie in
    memory with their channels last.
    """

    player_names: ClassVar[tuple[str, ...]] = ("discriminator", "generator")
    averaged: ClassVar[tuple[str, ...]] = ("generator",)
    provides: ClassVar[Mapping[str, frozenset[str]]] = {}
    channels_last: ClassVar[bool] = True
    discriminator_steps: int = 1

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.clock = Clock()
        self.scalars = ScalarBuffer()
        self.regularizers: Sequence[WeightedRegularizer] = ()
        self.interrupt_requested = False  # set on this rank at any time, for example by a signal
        self.interrupted = False  # agreed between all ranks
        self.player_optimizers: dict[str, torch.optim.Optimizer] = {}
        self._optimizer_states: Mapping[str, Any] = {}

    # ---------------------------------------------------------------- what a family writes

    def players(self) -> dict[str, nn.Module]:
        """The modules whose parameters each player owns, by player."""
        return {name: getattr(self, name) for name in self.player_names}

    def sample(
        self,
        random: Randomness,
        labels: Tensor | None = None,
        *,
        truncation: float | None = None,
        averaged: bool = True,
    ) -> Tensor:
        """Images in [-1, 1], one for each row of `random`; from the averaged weights unless told otherwise."""
        raise NotImplementedError(f"{type(self).__name__} does not define sample()")

    def play(self, batches: Sequence[Batch]) -> None:
        """One round: the discriminator on every batch, then each other player on the last."""
        for batch in batches:
            self.update("discriminator", self.terms_of("discriminator"), batch)
        for player in self.player_names:
            if player != "discriminator":
                self.update(player, self.terms_of(player), batches[-1])

    # ---------------------------------------------------------------- what a family calls

    def update(self, player: str, terms: Callable[[Batch], Terms], batch: Batch) -> None:
        """One optimizer step of a player on the sum of its terms; the other players are frozen meanwhile."""
        optimizer = self.player_optimizers[player]
        parts = batch.scoped(player).split(self.settings.micro_batch)
        seed = derive_seed(self.settings.seed, self.clock.position, player, rank(), *batch.random.key)
        seed_networks(seed, self.device)
        with self.only(player):
            optimizer.zero_grad()
            for part in parts:
                named, share = terms(part), len(part) / len(batch)
                # Not manual_backward: it calls eight hooks of Lightning that have no work here, for 0.2 ms.
                with without_autocast(self.device):  # or float32 terms would get bfloat16 gradients
                    _total(named, share).backward()
                self._note(player, named, share)
        parameters = self.trainable[player]
        self.interrupted |= self.exchanges[player].synchronise(parameters, self.interrupt_requested)
        if self._clip(player, parameters, named):
            optimizer.step()
            act_after_update(due(self.regularizers, player, self.clock.updates[player]), self.players()[player])
        self.clock.updates[player] += 1

    def penalties(self, player: str, views: Views) -> dict[str, Tensor]:
        """The weighted penalties of a player that are due; a lazy one is scaled by its interval."""
        terms = due(self.regularizers, player, self.clock.updates[player])
        if not terms:
            return {}
        with nullcontext() if self.settings.penalty_precision == "same" else without_autocast(self.device):
            return weighted_penalties(terms, views)

    def averaged_model(self, name: str) -> nn.Module:
        """The average of one of the modules named in `averaged`."""
        return self.averages.copies[name]

    def terms_of(self, player: str) -> Callable[[Batch], Terms]:
        """The family's method that computes a player's terms."""
        method: Callable[[Batch], Terms] = getattr(self, f"{player}_terms")
        return method

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

    # ---------------------------------------------------------------- what the platform calls

    def prepare(self, settings: TrainingSettings) -> None:
        """Take the settings, check who owns which parameters, and start the averages."""
        self.settings = settings
        self.facts = settings.facts
        self.trainable = check_ownership(self, self.players(), settings.optimizers)
        self._in_order = arrange(self, settings.facts.is_images)
        sources = {name: getattr(self, name) for name in self.averaged}
        self.averages = Averages(sources, settings.half_life_kimg, settings.ramp_up)
        self.exchanges = {player: Exchange(self, self.averages) for player in self.trainable}

    def step_size(self, images_seen: int) -> tuple[int, int]:
        """Batch size (over all ranks) and discriminator updates of the step that starts at `images_seen`."""
        return self.settings.batch_size, self.discriminator_steps

    def step_resolution(self, images_seen: int) -> int | None:
        """The side to which the images of that step may be reduced; None for the data's own."""
        return None

    def remark(self, images: int) -> str | None:
        """What is strange about a training of so many images, if anything; it can run nevertheless."""
        return None

    def batch_sizes(self, batch_size: int) -> dict[str, int]:
        """All that `step_size` can return where `data.batch_size` is `batch_size`, by the keys that set them."""
        return {"data.batch_size": batch_size}

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
                load_optimizer(optimizer, states[player])

    def transfer_batch_to_device(self, batch: StepBatch, device: torch.device, dataloader_idx: int) -> StepBatch:
        """Move a step's examples, in their stored type, to the device."""
        return batch.to(device).map(self._in_order)

    def training_step(self, step: StepBatch, batch_idx: int) -> None:
        """One round of the game on the real examples of one step."""
        if (step.position, step.images_seen) != (self.clock.position, self.clock.images_seen):
            return  # fetched before a rollback moved the stream on
        for option in self.scheduled_options:
            option.apply(self.clock.images_seen, self.clock.rounds)
        try:
            self.play(step.batches(self.facts, self.settings.seed))
        except NonFiniteGradient as problem:
            self.settings.guard.request_rollback(str(problem))
            return
        self.clock.advance(step.images_shown)
        sources = {name: getattr(self, name) for name in self.averaged}
        self.averages.update(sources, step.images_shown, self.clock.images_seen, self.clock.rounds)

    # ---------------------------------------------------------------- inside

    def _note(self, player: str, terms: Terms, weight: float) -> None:
        for name, value in terms.items():
            self.scalars.add(f"{player}/{name}", value, weight)

    def _clip(self, player: str, parameters: Sequence[nn.Parameter], terms: Terms) -> bool:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        guard = self.settings.guard
        if not math.isfinite(norm.item()):
            guard.refuse(player, terms, self.clock.images_seen)
            return False
        guard.accept(player)
        clip = self.settings.optimizers[player].clip
        if clip is not None:
            clip_grads_with_norm_(parameters, clip, norm)
        return True


def _total(terms: Terms, share: float) -> Tensor:
    """The sum of the terms, in float32 at least, times the share of the batch that they are about."""
    total = torch.stack([value.float() if value.dtype == torch.bfloat16 else value for value in terms.values()]).sum()
    return total if share == 1 else total * share
