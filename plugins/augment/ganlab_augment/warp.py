"""Affine warps of images that keep their sharpness."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab_augment.banded import banded, both_ways
from ganlab_augment.bilinear import sample
from ganlab_augment.reflection import folded, reflect
from ganlab_augment.wavelets import SYMLET_6, centre

_TAPS = len(SYMLET_6)
_CENTRE = centre(SYMLET_6)
_BEYOND = _TAPS // 4  # pixels outside of the image that its own edge pixels reach through the filter
_MARGIN = _BEYOND + _TAPS // 2 - 1  # every sample up to there is made of all the pixels that it needs


def warp(images: Tensor, inverse: Tensor) -> Tensor:
    """Images (N, C, H, W) whose pixel at an offset x from the centre shows what was at `inverse` (N, 2, 3) @ (x, 1).

    Offsets are (x, y) in pixels. The images are sampled at twice their resolution, between filters that cancel each
    other where nothing moves (Karras et al., 2020, appendix B). Outside, images are reflected.
    """
    height, width = images.shape[2:]
    fine = _doubled(reflect(images, _MARGIN))
    across, down = (_places(size, images) for size in (width, height))
    offsets = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)
    moved = offsets @ inverse[:, None, :, :2].transpose(2, 3) + inverse[:, None, None, :, 2]
    x, y = (_place_in_fine(moved[..., axis], size) for axis, size in enumerate((width, height)))
    return _halved(sample(fine, torch.stack([x, y], dim=-1)), height, width)


def _places(size: int, images: Tensor) -> Tensor:
    """Offsets from the centre, in pixels, of the samples that halving needs."""
    samples = torch.arange(2 * size + _TAPS - 2, device=images.device, dtype=images.dtype)
    return (samples - _CENTRE) / 2 - (size - 1) / 2


def _place_in_fine(offsets: Tensor, size: int) -> Tensor:
    places = offsets + (size - 1) / 2
    outside = (places < -_BEYOND) | (places > size - 1 + _BEYOND)
    return (torch.where(outside, folded(places, size), places) + _MARGIN) * 2 + _CENTRE


def _doubled(images: Tensor) -> Tensor:
    """(..., H, W) at twice the resolution (..., 2H + 10, 2W + 10): n is at 2n + the filter's centre."""
    taps = images.new_tensor(SYMLET_6) * math.sqrt(2)
    down, across = (banded(taps, size, 2).t() for size in images.shape[-2:])
    return both_ways(images, down, across)


def _halved(images: Tensor, height: int, width: int) -> Tensor:
    """The transpose of `_doubled`, so that one after the other is the identity."""
    taps = images.new_tensor(SYMLET_6) / math.sqrt(2)
    return both_ways(images, banded(taps, height, 2), banded(taps, width, 2))
