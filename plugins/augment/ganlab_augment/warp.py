"""Affine warps of images that keep their sharpness."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab.nn import conv2d, conv_transpose2d
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
    count, channels, height, width = images.shape
    fine = _doubled(reflect(images, _MARGIN).flatten(0, 1))
    fine = fine.view(count, channels, *fine.shape[2:])
    across, down = (_places(size, images) for size in (width, height))
    offsets = torch.stack(torch.meshgrid(across, down, indexing="xy"), dim=-1)
    moved = offsets @ inverse[:, None, :, :2].transpose(2, 3) + inverse[:, None, None, :, 2]
    x, y = (_place_in_fine(moved[..., axis], size) for axis, size in enumerate((width, height)))
    sampled = sample(fine, torch.stack([x, y], dim=-1))
    return _halved(sampled.flatten(0, 1)).view_as(images)


def _places(size: int, images: Tensor) -> Tensor:
    """Offsets from the centre, in pixels, of the samples that halving needs."""
    samples = torch.arange(2 * size + _TAPS - 2, device=images.device, dtype=images.dtype)
    return (samples - _CENTRE) / 2 - (size - 1) / 2


def _place_in_fine(offsets: Tensor, size: int) -> Tensor:
    places = offsets + (size - 1) / 2
    outside = (places < -_BEYOND) | (places > size - 1 + _BEYOND)
    return (torch.where(outside, folded(places, size), places) + _MARGIN) * 2 + _CENTRE


def _doubled(images: Tensor) -> Tensor:
    """(N, H, W) at twice the resolution (N, 1, 2H + 10, 2W + 10): n is at 2n + the filter's centre."""
    taps = images.new_tensor(SYMLET_6) * math.sqrt(2)
    wide = conv_transpose2d(images[:, None], taps.view(1, 1, 1, -1), stride=(1, 2))
    return conv_transpose2d(wide, taps.view(1, 1, -1, 1), stride=(2, 1))


def _halved(images: Tensor) -> Tensor:
    """The transpose of `_doubled`, so that one after the other is the identity."""
    taps = images.new_tensor(SYMLET_6) / math.sqrt(2)
    narrow = conv2d(images[:, None], taps.view(1, 1, 1, -1), stride=(1, 2))
    return conv2d(narrow, taps.view(1, 1, -1, 1), stride=(2, 1))
