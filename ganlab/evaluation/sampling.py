"""Samples that depend on a seed and their own index only, however many are asked for and on however many ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.evaluation.source import Source
from ganlab.randomness import Randomness, derive_seed, layer_draws, of_samples, seed_networks
from ganlab.suggestions import did_you_mean
from ganlab.training.module import GANModule

BLOCK = 64

Labels = Tensor | int | Literal["cycle"] | None
"""Labels to sample with: one for each image, one class for all, class i mod classes for image i, or none in particular:
those of the examples that the samples are made for, or else drawn uniformly."""


@dataclass(frozen=True)
class Samples:
    """Consecutive samples with what they were made of; row i of everything belongs to sample i.

    `images` are floats in [-1, 1], `random` is what they were drawn from, `inputs` are what networks got besides, and
    `targets` the images in [-1, 1] that belong to these inputs, if there are any.
    """

    images: Tensor
    labels: Tensor | None
    random: Randomness
    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    source: Source | None = None

    def targets(self) -> Tensor | None:
        """The images that belong to the inputs, in [-1, 1]; None if there are none."""
        return None if self.source is None else self.source.images(_numbers(self.random))


def make_samples(
    module: GANModule,
    count: int,
    seed: int,
    *,
    labels: Labels = None,
    source: Source | None = None,
    options: Mapping[str, Any] | None = None,
    averaged: bool = True,
    first: int = 0,
    batch_size: int = BLOCK,
) -> Iterator[Samples]:
    """Samples `first` to `first + count` of a seed in order, at most `batch_size` at a time.

    Random numbers are addressed by the sample, so that the size changes nothing but rounding. With a `source`, sample i
    is made for its example i. `options` are sampling options as the architecture declares them. The module works in
    evaluation mode and is back in its own mode between the pieces. Data without classes have no labels. Raises
    `UserError` for a class that the data do not have.
    """
    check_label(labels, module.facts.classes)
    options = dict(options or {})
    get_ready(module, averaged, options)
    for start in range(first, first + count, batch_size):
        size = min(batch_size, first + count - start)
        random = of_samples(seed, size, module.device, start)
        drawn = _labels_of_piece(labels, source, start - first, random, module.facts.classes)
        given = source.inputs(_numbers(random)) if source else None
        with at_rest(module, derive_seed(seed, "network", start)):
            images = module.sample(random, drawn, inputs=given, averaged=averaged, **options)
        yield Samples(images, drawn, random, given or {}, source)


def sample_blocks(module: GANModule, count: int, seed: int, **settings: Any) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The images of `make_samples`, which has the same settings, with their labels."""
    for made in make_samples(module, count, seed, **settings):
        yield made.images, made.labels


def sample_seeds(
    module: GANModule,
    seeds: Sequence[int],
    *,
    labels: Labels = None,
    source: Source | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Samples]:
    """The first sample of each seed in order, the i-th for example i, and with `cycle` of class i mod classes."""
    for index, seed in enumerate(seeds):
        label = torch.tensor([index % module.facts.classes]) if labels == "cycle" and module.facts.classes else labels
        example = None if source is None else source.starting_at(source.first + index)
        yield from make_samples(module, 1, seed, labels=label, source=example, options=options)


def get_ready(module: GANModule, averaged: bool, options: Mapping[str, Any]) -> None:
    """Let the architecture get ready for samples with these options, once for these weights.

    It draws the same random numbers whatever the seed of the samples is: a sample must not depend on those before it.
    """
    wanted = (module.clock.position, averaged, repr(sorted(options.items())))
    if module.ready_for != wanted:
        random = Randomness(0, "before sampling", count=BLOCK, device=module.device)
        with at_rest(module, random.seed("network")), layer_draws(random.scoped("layers")):
            module.before_sampling(random, averaged=averaged, **options)
        module.ready_for = wanted


def class_of(label: str, facts: DataFacts) -> int:
    """The number of a class that is given by its name or number. Raises `UserError` for one that there is not."""
    if label in facts.class_names:
        return facts.class_names.index(label)
    if not label.isdecimal():
        names = ", ".join(facts.class_names[:20]) or "none"
        raise UserError(f"there is no class '{label}'; the classes: {names}{did_you_mean(label, facts.class_names)}")
    check_label(int(label), facts.classes)
    return int(label)


def check_label(labels: Labels, classes: int) -> None:
    """Raise `UserError` if a single label is no class of the data."""
    if not isinstance(labels, int):
        return
    if classes == 0:
        raise UserError(f"label {labels} was asked for, but the data have no classes; leave the label out")
    if not 0 <= labels < classes:
        raise UserError(f"there is no label {labels}: the data have the classes 0 to {classes - 1}")


def _numbers(random: Randomness) -> range:
    return range(random.start, random.start + random.count)


def _labels_of_piece(
    labels: Labels, source: Source | None, row: int, random: Randomness, classes: int
) -> Tensor | None:
    if classes == 0:
        return None
    if labels is None:
        of_examples = None if source is None else source.labels(_numbers(random))
        return random.integers("labels", classes) if of_examples is None else of_examples
    if isinstance(labels, Tensor):
        return labels[row : row + len(random)].to(random.device)
    if isinstance(labels, int):
        return torch.full((len(random),), labels, device=random.device)
    return torch.arange(random.start, random.start + len(random), device=random.device) % classes


@contextmanager
def at_rest(module: GANModule, seed: int) -> Iterator[None]:
    """Evaluation mode without gradients, and a seed for noise that networks draw from torch's own generator."""
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    devices = [module.device] if module.device.type == "cuda" else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):
            seed_networks(seed, module.device)
            yield
    finally:
        for part, training in modes:
            part.training = training


def choose_device() -> torch.device:
    """Where to sample outside of training: the accelerator if there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")
