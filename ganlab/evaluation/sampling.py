"""Samples that depend on a seed and their own index only, however many are asked for and on however many ranks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.randomness import Randomness, derive_seed
from ganlab.training.module import GANModule

BLOCK = 64

Labels = Tensor | int | Literal["cycle"] | None
"""Labels to sample with: one for each image, one class for all, class i mod classes for image i, or drawn uniformly."""


def sample_blocks(
    module: GANModule,
    count: int,
    seed: int,
    *,
    labels: Labels = None,
    truncation: float | None = None,
    averaged: bool = True,
    first: int = 0,
    batch_size: int = BLOCK,
) -> Iterator[tuple[Tensor, Tensor | None]]:
    """Images `first` to `first + count` of a seed as float pieces in [-1, 1] with their labels, in order.

    Random numbers come in blocks of 64 keyed by (seed, block); a piece never crosses a block and has at most
    `batch_size` images. The module works in evaluation mode and is back in its own mode between the pieces.
    Data without classes have no labels. Raises `UserError` for a class that the data do not have.
    """
    check_label(labels, module.facts.classes)
    for start, size in _pieces(first, count, batch_size):
        random = Randomness(
            seed, "samples", start // BLOCK, count=size, start=start % BLOCK, total=BLOCK, device=module.device
        )
        drawn = _labels_of_piece(labels, start, start - first, random, module.facts.classes)
        with _evaluating(module), _seeded(derive_seed(seed, "network", start), module.device):
            images = module.sample(random, drawn, truncation=truncation, averaged=averaged)
        yield images, drawn


def check_label(labels: Labels, classes: int) -> None:
    """Raise `UserError` if a single label is no class of the data."""
    if not isinstance(labels, int):
        return
    if classes == 0:
        raise UserError(f"label {labels} was asked for, but the data have no classes; leave the label out")
    if not 0 <= labels < classes:
        raise UserError(f"there is no label {labels}: the data have the classes 0 to {classes - 1}")


def _pieces(first: int, count: int, batch_size: int) -> Iterator[tuple[int, int]]:
    position, end = first, first + count
    while position < end:
        size = min(batch_size, BLOCK - position % BLOCK, end - position)
        yield position, size
        position += size


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
def _evaluating(module: GANModule) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Give noise that networks draw by themselves a seed, and the caller's generators back."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield


def choose_device() -> torch.device:
    """Where to sample outside of training: the accelerator if there is one, else the CPU."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return accelerator or torch.device("cpu")
