"""Rounds of a game and samples on the meta device: shapes without memory or arithmetic, before a training starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Batch
from ganlab.data.examples import IMAGES
from ganlab.data.reduction import reduce_images, reduce_inputs
from ganlab.data.scaling import scale, scale_input
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.errors import SpecError
from ganlab.facts import DataFacts
from ganlab.misfits import Unrehearsable, told
from ganlab.randomness import Randomness, layer_draws
from ganlab.training.module import GANModule, Terms
from ganlab.training.regularizer_set import act_after_update

_META = torch.device("meta")


class Rehearsal:
    """Plays rounds of a prepared game whose tensors are on the meta device, without optimizers.

    Whatever does not fit is a `SpecError`. Code that asks tensors for their values cannot be tried; that it was left
    out is told in `remarks`.

    Args:
        module: the game, prepared for training, on the meta device.
        processes: how many share a batch.
    """

    def __init__(self, module: GANModule, processes: int = 1) -> None:
        self.module = module.to(_META)
        self.processes = processes
        self.remarks: list[str] = []
        self._done: list[tuple[str, Any, torch.Size]] = []

    def play(self, moment: int) -> None:
        """The round that starts when `moment` images have been seen."""
        module = self.module
        module.clock.images_seen = moment
        module.clock.stand_still()
        for option in module.settings.schedules:
            option.apply(moment)
        self._done.clear()
        with _default_type(module), self._left_out(), _updating_by(module, self._update):
            with told(module, "making a batch"):
                batches = self.batches()
            with told(module, "a round of the game"):
                module.play(batches)

    def sample(self, options: Mapping[str, Any]) -> None:
        """Samples with these sampling options."""
        module, facts, count = self.module, self.module.facts, self._count()
        random = Randomness(0, count=count, device=_META)
        examples = _example_step(facts, count)
        inputs = {name: scale_input(value, facts.inputs.get(name)) for name, value in examples.inputs.items()}
        for name in module.made_from(options):
            whose = examples if name == IMAGES else examples.further[name]
            inputs[name] = scale(whose.images, facts.value_range)
        module.eval()
        with _default_type(module), self._left_out(), told(module, "sampling"), torch.no_grad():
            module.before_sampling(random, averaged=True, **options)
            given = inputs or None
            _check_samples(module.sample(random, examples.labels, inputs=given, **options), facts, count)
        module.train()

    def batches(self) -> list[Batch]:
        """The batches of the current step: of a device's share as many examples as make a part of each size."""
        module, moment = self.module, self.module.clock.images_seen
        batch_size, updates = module.step_size(moment)
        count = self._count()
        stage = (module.step_resolution(moment), module.step_frames(moment))
        plan = StepPlan(0, moment, batch_size, updates, 0, count, *stage)
        step = _example_step(module.facts, updates * count, plan)
        return step.map(module.in_order).batches(module.facts, module.settings.seed)

    def _count(self) -> int:
        share = max(1, self.module.step_size(self.module.clock.images_seen)[0] // self.processes)
        part = self.module.settings.micro_batch
        return share if part is None or share <= part else part + share % part

    def _update(self, player: str, terms: Callable[[Batch], Terms], batch: Batch) -> None:
        """An update without its step; one like another of this round tells nothing new."""
        key = (player, terms, batch.images.shape)
        if key in self._done:
            return
        self._done.append(key)
        with self._left_out(), told(self.module, f"the update of the {player}"):
            for part in batch.scoped(player).split(self.module.settings.micro_batch):
                with self.module.only(player), layer_draws(part.random.scoped("layers")):
                    self._descend(player, terms(part))
        with self._left_out(), told(self.module, f"what follows an update of the {player}"), torch.no_grad():
            self._follow(player)

    def _descend(self, player: str, terms: Terms) -> None:
        if not isinstance(terms, Mapping) or not terms:
            raise SpecError(f"the {player}'s terms are {type(terms).__name__}, not a mapping with a term at least")
        for name, value in terms.items():
            if not isinstance(value, Tensor) or value.shape != ():
                shape = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
                raise SpecError(f"the term '{name}' of the {player} is {shape}, not a scalar")
        total = torch.stack([value.to(torch.float64) for value in terms.values()]).sum()
        owned = self.module.trainable[player]
        if not total.requires_grad:
            raise SpecError(f"no term of the {player} depends on its parameters ({', '.join(terms)})")
        for parameter in owned:
            parameter.grad = None
        total.backward()
        if all(parameter.grad is None for parameter in owned):
            raise SpecError(f"no term of the {player} depends on its parameters ({', '.join(terms)})")

    def _follow(self, player: str) -> None:
        module = self.module
        for state in module.committed:
            state.commit()
        acting = [term for term in module.regularizers if term.regularizer.side == player]
        act_after_update(acting, module.players()[player])
        module.after_update(player)

    @contextmanager
    def _left_out(self) -> Iterator[None]:
        try:
            yield
        except Unrehearsable as left_out:
            if str(left_out) not in self.remarks:
                self.remarks.append(str(left_out))


def rehearse_training(
    module: GANModule, images: int, processes: int = 1, sampling: Sequence[Mapping[str, Any]] = ()
) -> str | None:
    """Play the rounds of a training of so many images that differ in what runs, and sample with each of the options.

    Returns what could not be tried, if anything. Raises `SpecError` for what does not fit.
    """
    rehearsal = Rehearsal(module, processes)
    for moment in module.moments(images):
        rehearsal.play(moment)
    for options in sampling:
        rehearsal.sample(options)
    return "; ".join(rehearsal.remarks) or None


def _example_step(facts: DataFacts, count: int, plan: StepPlan | None = None) -> StepBatch:
    """Examples of these facts, as they are stored, on the meta device; reduced as the plan of their step says."""
    plan = plan or StepPlan(0, 0, count, 1, 0, count)
    facts = facts if plan.frames is None else facts.with_frames(plan.frames)
    whole = facts.is_images and facts.value_range == (0.0, 255.0)
    images = torch.empty(count, *facts.shape, dtype=torch.uint8 if whole else torch.float32, device=_META)
    inputs = {name: torch.empty(count, *of.shape, device=_META) for name, of in facts.inputs.items()}
    if plan.resolution is not None and facts.side:
        inputs = reduce_inputs(inputs, facts, facts.side // plan.resolution)
        images = reduce_images(images, plan.resolution)
    labels = torch.zeros(count, dtype=torch.int64, device=_META) if facts.classes else None
    further = {
        name: _example_step(domain, count, _beside(plan, facts, domain)) for name, domain in facts.further.items()
    }
    return StepBatch(plan, images, labels, inputs, further)


def _beside(plan: StepPlan, facts: DataFacts, domain: DataFacts) -> StepPlan:
    """The plan for a further domain, whose images are reduced by the same factor."""
    if plan.resolution is None or facts.side is None or domain.side is None:
        return replace(plan, resolution=None)
    return replace(plan, resolution=max(1, domain.side * plan.resolution // facts.side))


def _check_samples(images: Any, facts: DataFacts, count: int) -> None:
    if not isinstance(images, Tensor):
        raise SpecError(f"samples are {type(images).__name__}, not a tensor of images")
    wanted = (count, *facts.shape)
    if len(images) != count or (tuple(images.shape) != wanted and not facts.further):
        raise SpecError(f"{count} samples have the shape {tuple(images.shape)}, but the data's is {wanted}")


@contextmanager
def _updating_by(module: GANModule, update: Callable[..., None]) -> Iterator[None]:
    module.update = update  # type: ignore[method-assign]
    try:
        yield
    finally:
        del module.update  # the class's own is there again


@contextmanager
def _default_type(module: GANModule) -> Iterator[None]:
    """The type of numbers that Lightning makes the default for networks in float64."""
    before = torch.get_default_dtype()
    kind = next((parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()), before)
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
