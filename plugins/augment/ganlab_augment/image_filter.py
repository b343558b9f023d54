"""Octaves of frequency, amplified or damped."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from ganlab_augment.banded import banded
from ganlab_augment.linear import BothWays, apply_linear, apply_to_rows
from ganlab_augment.operations import Draws
from ganlab_augment.reflection import folded
from ganlab_augment.wavelets import SYMLET_2, octave_bank

_POWER = (10 / 13, 1 / 13, 1 / 13, 1 / 13)  # of natural images, lowest octave first


def apply_filter(images: Tensor, draws: Draws) -> Tensor:
    """Each image with its own gains of four octaves, in both directions; reflected outside.

    On the CPU, images of which no octave was drawn cost nothing.
    """
    if "filter" not in draws:
        return images
    gains, size = octave_gains(draws), images.shape[2:]
    if images.device.type != "cpu":
        return apply_linear(images, BothWays(*(_filters(gains, side) for side in size)))
    rows = (gains != 1).any(1).nonzero()[:, 0]
    if not len(rows):
        return images
    return apply_to_rows(images, [(rows, BothWays(*(_filters(gains[rows], side) for side in size)))])


def octave_gains(draws: Draws) -> Tensor:
    """Gains (N, 4). Each octave has its own chance, and each draw keeps the power of a natural image."""
    power = draws.images.new_tensor(_POWER)
    gains = draws.images.new_ones(len(draws.images), len(_POWER))
    for octave in range(len(_POWER)):
        factor = draws.sometimes("filter", draws.power_of_two("filter"), 1.0)
        kept_power = (1 + power[octave] * (factor.square() - 1)).sqrt()  # exactly 1 where nothing was drawn
        gains = gains / kept_power
        gains[:, octave, None] *= factor
    return gains


def _filters(gains: Tensor, size: int) -> Tensor:
    """Matrices (N, 1, size, size) that filter an axis, reflected outside."""
    bank, places = _bank(gains.dtype, gains.device), _places(size, gains.device)
    reflected = torch.nn.functional.one_hot(places, size).to(gains)
    return (banded(gains @ bank, size) @ reflected)[:, None]


@functools.lru_cache(maxsize=8)
def _bank(dtype: torch.dtype, device: torch.device) -> Tensor:
    return octave_bank(SYMLET_2, len(_POWER)).to(device=device, dtype=dtype)


def _places(size: int, device: torch.device) -> Tensor:
    """Which pixel each place that the filters reach shows."""
    margin = _bank(torch.float64, torch.device("cpu")).shape[1] // 2
    return folded(torch.arange(-margin, size + margin, device=device), size)
