"""Octaves of frequency, amplified or damped."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_augment.banded import banded, both_ways
from ganlab_augment.operations import Draws
from ganlab_augment.reflection import reflect
from ganlab_augment.wavelets import SYMLET_2, octave_bank

_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of natural images, lowest octave first


def apply_filter(images: Tensor, draws: Draws) -> Tensor:
    """Each image with its own gains of four octaves, in both directions; reflected outside."""
    if "filter" not in draws:
        return images
    taps = octave_gains(draws) @ octave_bank(SYMLET_2, len(_POWER)).to(images)
    down, across = (banded(taps, size)[:, None] for size in images.shape[2:])
    return both_ways(reflect(images, taps.shape[1] // 2), down, across)


def octave_gains(draws: Draws) -> Tensor:
    """Gains (N, 4). Each octave has its own chance, and each draw keeps the power of a natural image."""
    power = draws.images.new_tensor(_POWER)
    gains = draws.images.new_ones(len(draws.images), len(_POWER))
    for octave in torch.eye(len(_POWER), device=gains.device, dtype=gains.dtype):
        factor = draws.sometimes("filter", draws.power_of_two("filter"), 1.0)
        drawn = 1 + (factor - 1) * octave
        gains = gains * drawn / (power * drawn.square()).sum(1, keepdim=True).sqrt()
    return gains
