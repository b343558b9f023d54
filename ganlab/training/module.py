"""GANModule: the training step of every architecture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_

from ganlab.contracts import Batch, WeightedRegularizer
from ganlab.data.step_batch import StepBatch
from ganlab.distributed import rank
from ganlab.nn.autocast import is_autocast, without_autocast
from ganlab.randomness import Randomness, derive_seed, layer_draws, seed_networks
from ganlab.training.guard import NonFiniteGradient
from ganlab.training.parts import in_parts
from ganlab.training.players import PlayersModule
from ganlab.training.regularizer_set import act_after_update, due, weighted_penalties
from ganlab.training.sampled import Sampled
from ganlab.views import Latents, Views

Terms = Mapping[str, Tensor]


class GANModule(Sampled, PlayersModule):
    """Base of all architectures: players take turns, each minimising the sum of its named terms.

    A family writes `<player>_terms(batch)` for each of its players, and `draw` and `render` (or `sample` as a whole).
    The discriminator is updated `discriminator_steps` times on fresh reals, then each other player `<player>_steps`
    times on the last of these batches. `provides` names the views that each player offers to regularizers. An
    algorithm with another order of updates overrides `play` and still calls `update`. Images, and networks that do not
    say `channels_last = False`, lie in memory with their channels last.
    """

    provides: ClassVar[Mapping[str, frozenset[str]]] = {}
    channels_last: ClassVar[bool] = True
    tensor_options: ClassVar[tuple[str, ...]] = ()  # sampling options that `render` takes as scalar tensors as well
    discriminator_steps: int = 1

    # ---------------------------------------------------------------- what a family writes

    def draw(
        self, random: Randomness, labels: Tensor | None = None, inputs: Mapping[str, Tensor] | None = None
    ) -> Latents:
        """What samples are made of, one for each row of `random`; games that start from inputs alone draw nothing."""
        return Latents(values=torch.empty(len(random), 0), labels=labels, inputs=inputs or {}, random=random)

    def render(self, latents: Latents, *, averaged: bool = True) -> Tensor:
        """Images in [-1, 1] of latents, from the averaged weights unless told otherwise.

        A family's further keyword arguments are its sampling options: `ganlab sample RUN name=value` and the sections
        `evaluation` and `snapshots` of a spec set them, checked like a constructor's.
        """
        raise NotImplementedError(f"{type(self).__name__} defines neither render() nor sample()")

    def sample(
        self,
        random: Randomness,
        labels: Tensor | None = None,
        *,
        inputs: Mapping[str, Tensor] | None = None,
        averaged: bool = True,
        **options: Any,
    ) -> Tensor:
        """Images in [-1, 1], one for each row of `random`, drawn and rendered."""
        with layer_draws(random.scoped("layers")):
            return self.render(self.draw(random, labels, inputs), averaged=averaged, **options)

    def before_sampling(self, random: Randomness, *, averaged: bool = True, **options: Any) -> None:
        """Get ready for samples with these options, such as by measuring statistics.

        The platform calls it in evaluation mode, without gradients, before the first sample with other weights or
        options than before.
        """

    def panels(
        self, fakes: Tensor, inputs: Mapping[str, Tensor], images: Tensor | None, random: Randomness
    ) -> Sequence[Tensor]:
        """What pictures of samples show side by side: the inputs that are images or maps, fakes, and targets.

        A panel is (N, C, H, W), floats in [-1, 1] or whole numbers that become colours; of sequences (N, T, C, H, W).
        `images` are the targets of fakes that were made for inputs; `self.draw(random, ...)` gives the fakes' latents.
        In pictures of reals with inputs, `fakes` are reals without targets. Called in evaluation mode.
        """
        kinds = {name: facts.kind for name, facts in self.facts.inputs.items()}
        visible = [v for name, v in inputs.items() if kinds.get(name) in ("images", "maps") and v.dim() <= fakes.dim()]
        return [*visible, fakes, images] if inputs and images is not None else [*visible, fakes]

    def play(self, batches: Sequence[Batch]) -> None:
        """One round: the discriminator on every batch, then each other player on the last, in turn."""
        for batch in batches:
            self.update("discriminator", self.terms_of("discriminator"), batch)
        for player in (name for name in self.player_names if name != "discriminator"):
            for step in range(getattr(self, f"{player}_steps", 1)):  # each draws random numbers of its own
                self.update(player, self.terms_of(player), batches[-1].scoped(step) if step else batches[-1])

    def show_batch(self, batch: Batch) -> None:
        """Run what normalizes by the statistics of the whole batch, once in an update that sees it in parts."""

    def after_update(self, player: str) -> None:
        """Whatever a family does after a player's optimizer has stepped: once an update, over all parts and ranks.

        Called without gradients; not for an update that the guard has left out.
        """

    # ---------------------------------------------------------------- what a family calls

    def update(self, player: str, terms: Callable[[Batch], Terms], batch: Batch) -> None:
        """One optimizer step of a player on the sum of its terms; the other players are frozen meanwhile."""
        optimizer = self.player_optimizers[player]
        seed = derive_seed(self.settings.seed, self.clock.position, player, rank(), *batch.random.key)
        seed_networks(seed, self.device)
        noted: dict[str, Tensor] = {}
        with self.only(player):
            optimizer.zero_grad()
            for part in in_parts(self, batch.scoped(player), self.settings.micro_batch):
                named, share = terms(part), len(part) / len(batch)
                # Not manual_backward: it calls eight hooks of Lightning that have no work here, for 0.2 ms.
                with without_autocast(self.device):  # or float32 terms would get bfloat16 gradients
                    _total(named, share).backward()
                for name, value in named.items():
                    part_of_mean = value.detach() if share == 1 else value.detach() * share
                    noted[name] = noted[name] + part_of_mean if name in noted else part_of_mean
        for name, value in noted.items():
            self.scalars.add(f"{player}/{name}", value)
        parameters = self.trainable[player]
        self.interrupted |= self.exchanges[player].synchronise(parameters, self.interrupt_requested)
        self._step(player, noted)
        self.clock.updates[player] += 1

    def penalties(self, player: str, views: Views) -> dict[str, Tensor]:
        """The weighted penalties of a player that are due; a lazy one is scaled by its interval."""
        terms = self._due(player)
        if not terms:
            return {}
        with nullcontext() if self.settings.penalty_precision == "same" else without_autocast(self.device):
            return weighted_penalties(terms, views)

    def due_views(self, player: str) -> frozenset[str]:
        """The views that the penalties of a player's next update read."""
        return frozenset().union(*(term.regularizer.requires for term in self._due(player)))

    @property
    def blends_labels(self) -> bool:
        """Whether samples can be made for shares of classes (N, classes) instead of labels (N,)."""
        return False

    @property
    def penalties_share_passes(self) -> bool:
        """Whether penalties may use the passes of the loss: not where they need more precision than these have."""
        return self.settings.penalty_precision == "same" or not is_autocast(self.device)

    def terms_of(self, player: str) -> Callable[[Batch], Terms]:
        """The family's method that computes a player's terms."""
        method: Callable[[Batch], Terms] = getattr(self, f"{player}_terms")
        return method

    # ---------------------------------------------------------------- what the platform calls

    def step_size(self, images_seen: int) -> tuple[int, int]:
        """Batch size (over all ranks) and discriminator updates of the step that starts at `images_seen`."""
        return self.settings.batch_size, self.discriminator_steps

    def step_resolution(self, images_seen: int) -> int | None:
        """The side to which the images of that step may be reduced; None for the data's own."""
        return None

    def step_frames(self, images_seen: int) -> int | None:
        """Frames of the windows of sequences that the step takes; None for all of an example."""
        return None

    def moments(self, images: int) -> Sequence[int]:
        """Images seen at which rounds of a training of so many images run other layers; `ganlab check` tries them."""
        return [0]

    def scalars_now(self) -> Mapping[str, float]:
        """Further scalars of the moment for the log, by name, such as the stage of networks that grow."""
        return {}

    def remark(self, images: int) -> str | None:
        """What is strange about a training of so many images, if anything; it can run nevertheless."""
        return None

    def batch_sizes(self, batch_size: int) -> dict[str, int]:
        """All that `step_size` can return where `data.batch_size` is `batch_size`, by the keys that set them."""
        return {"data.batch_size": batch_size}

    def transfer_batch_to_device(self, batch: StepBatch, device: torch.device, dataloader_idx: int) -> StepBatch:
        """Move a step's examples, in their stored type, to the device."""
        return batch.to(device).map(self.in_order)

    def training_step(self, step: StepBatch, batch_idx: int) -> None:
        """One round of the game on the real examples of one step."""
        if (step.position, step.images_seen) != (self.clock.position, self.clock.images_seen):
            return  # fetched before a rollback moved the stream on
        for option in self.scheduled_options:
            option.apply(self.clock.images_seen, self.clock.rounds)
        try:
            self.play(step.batches(self.facts, self.settings.seed))
        except NonFiniteGradient as problem:
            for state in self.committed:
                state.discard()
            self.settings.guard.request_rollback(str(problem))
            return
        self.clock.advance(step.images_shown)
        self.averages.update(self.sources(), step.images_shown, self.clock.images_seen, self.clock.rounds)

    # ---------------------------------------------------------------- inside

    @torch.no_grad()
    def _step(self, player: str, terms: Terms) -> None:
        """Step, and take in the state that the passes of all parts and ranks have added up to, if the guard agrees."""
        optimizer, guard = self.player_optimizers[player], self.settings.guard
        norm = self._clip(player)
        acting = [term for term in self._due(player) if hasattr(term.regularizer, "after_update")]
        waits = bool(acting) or type(self).after_update is not GANModule.after_update
        refused = guard.judge(player, norm, terms, self.clock.images_seen, optimizer, waits=waits)
        if refused is True:
            for state in self.committed:
                state.discard()
            return
        self.scalars.add(f"gradients/{player}", norm)
        with guard.slowing(optimizer):
            optimizer.step()
        for state in self.committed:
            state.commit(refused)
        act_after_update(acting, self.players()[player])
        self.after_update(player)

    def _clip(self, player: str) -> Tensor:
        """Clip the player's gradient, if its optimizer says so; its norm before."""
        parameters = self.trainable[player]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        clip = self.settings.optimizers[player].clip
        if clip is not None:
            clip_grads_with_norm_(parameters, clip, norm)
        return norm

    def _due(self, player: str) -> list[WeightedRegularizer]:
        return due(self.regularizers, player, self.clock.updates[player])


def _total(terms: Terms, share: float) -> Tensor:
    """The sum of the terms, in float32 at least, times the share of the batch that they are about."""
    total = torch.stack([value.float() if value.dtype == torch.bfloat16 else value for value in terms.values()]).sum()
    return total if share == 1 else total * share
