"""Filters as matrices, for both axes of an image.

A product with a banded matrix does many times more arithmetic than a convolution of a single channel needs, and is
still several times faster up to a few hundred pixels; it is also linear with cheap derivatives of any order.
"""

from __future__ import annotations

import torch
from torch import Tensor


def banded(taps: Tensor, count: int, step: int = 1) -> Tensor:
    """Matrices (..., count, (count - 1) * step + K) whose row n has the taps (..., K) from place n * step on."""
    length = taps.shape[-1]
    columns = torch.arange((count - 1) * step + length, device=taps.device)
    places = columns - step * torch.arange(count, device=taps.device)[:, None]
    inside = (places >= 0) & (places < length)
    return taps[..., places.clamp(0, length - 1)] * inside


def both_ways(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Images (..., H, W) as `down` (..., h, H) takes their columns and `across` (..., w, W) their rows."""
    return down @ images @ across.transpose(-1, -2)
