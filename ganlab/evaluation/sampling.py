"""Samples that depend on a seed and their own index only, however many are asked for and on however many ranks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.randomness import Randomness, derive_seed, seed_networks
from ganlab.suggestions import did_you_mean
from ganlab.training.module import GANModule

BLOCK = 64

Labels = Tensor | int | Literal["cycle"] | None
"""Labels to sample with: one for each image, one class for all, class i mod classes for image i, or drawn uniformly."""

Inputs = Callable[[Sequence[int]], Mapping[str, Tensor]]
"""Inputs for the samples with these indices, as networks take them."""


def sample_blocks(
    module: GANModule,
    count: int,
    seed: int,
    *,
    labels: Labels = None,
    inputs: Inputs | None = None,
    options: Mapping[str, Any] | None = None,
    averaged: bool = True,
    first: int = 0,
    batch_size: int = BLOCK,
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Images `first` to `first + count` of a seed as float pieces in [-1, 1] with their labels, in order.

    A piece has at most `batch_size` images. Random numbers are addressed by the image, so that the size changes
    nothing but rounding. `options` are sampling options as the architecture declares them. The module works in
    evaluation mode and is back in its own mode between the pieces. Data without classes have no labels. Raises
    `UserError` for a class that the data do not have.
    """
    check_label(labels, module.facts.classes)
    options = dict(options or {})
    get_ready(module, seed, averaged, options)
    for start in range(first, first + count, batch_size):
        size = min(batch_size, first + count - start)
        random = Randomness(seed, "samples", count=size, start=start, device=module.device)
        drawn = _labels_of_piece(labels, start, start - first, random, module.facts.classes)
        given = inputs(range(start, start + size)) if inputs else None
        with _evaluating(module, derive_seed(seed, "network", start)):
            images = module.sample(random, drawn, inputs=given, averaged=averaged, **options)
        yield images, drawn


def sample_seeds(
    module: GANModule,
    seeds: Sequence[int],
    *,
    labels: Labels = None,
    inputs: Inputs | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The first image of each seed, one after the other; with `cycle`, image i has class i mod classes."""
    for index, seed in enumerate(seeds):
        label = torch.tensor([index % module.facts.classes]) if labels == "cycle" and module.facts.classes else labels
        place: Inputs | None = None if inputs is None else (lambda _, index=index: inputs([index]))
        yield from sample_blocks(module, 1, seed, labels=label, inputs=place, options=options)


def get_ready(module: GANModule, seed: int, averaged: bool, options: Mapping[str, Any]) -> None:
    """Let the architecture get ready for samples with these options, once for these weights."""
    wanted = (module.clock.position, averaged, repr(sorted(options.items())))
    if module.ready_for != wanted:
        with _evaluating(module, derive_seed(seed, "before sampling")):
            random = Randomness(seed, "before sampling", count=BLOCK, device=module.device)
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


def _labels_of_piece(labels: Labels, start: int, row: int, random: Randomness, classes: int) -> Tensor | None:
    if classes == 0:
        return None
    if labels is None:
        return random.integers("labels", classes)
    if isinstance(labels, Tensor):
        return labels[row : row + len(random)].to(random.device)
    if isinstance(labels, int):
        return torch.full((len(random),), labels, device=random.device)
    return torch.arange(start, start + len(random), device=random.device) % classes


@contextmanager
def _evaluating(module: GANModule, seed: int) -> Iterator[None]:
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
