"""Images worked on in tiles that overlap, and put together without seams."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganlab.errors import UserError


def in_tiles(images: Tensor, work: Callable[[Tensor], Tensor], side: int, overlap: int) -> Tensor:
    """What `work` makes of images (N, C, H, W), tile by tile of at most `side` pixels; images of the same size.

    Where tiles overlap, by `overlap` pixels at least, one fades linearly into the next. Raises `UserError` for an
    overlap that is not below half of the side.
    """
    if not 0 <= overlap <= side // 2:
        raise UserError(f"tiles of {side} pixels overlap by 0 to {side // 2}, not {overlap}")
    height, width = images.shape[2:]
    total = weights = None
    for top in _starts(height, side, overlap):
        for left in _starts(width, side, overlap):
            tile = images[:, :, top : top + side, left : left + side]
            made = work(tile)
            if total is None or weights is None:
                total = made.new_zeros(len(images), made.shape[1], height, width)
                weights = made.new_zeros(height, width)
            window = _window(tile.shape[2], overlap, made)[:, None] * _window(tile.shape[3], overlap, made)
            total[:, :, top : top + side, left : left + side] += made * window
            weights[top : top + side, left : left + side] += window
    assert total is not None
    assert weights is not None
    return total / weights


def _starts(length: int, side: int, overlap: int) -> list[int]:
    """Where tiles begin, evenly spaced, the last one ending with the image."""
    if length <= side:
        return [0]
    count = -(-(length - overlap) // (side - overlap))
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _window(length: int, overlap: int, like: Tensor) -> Tensor:
    """Weights (length,) that rise over the overlap from both ends; never 0, so that borders count as well."""
    places = torch.arange(length, device=like.device, dtype=like.dtype)
    nearest = torch.minimum(places, length - 1 - places) + 1
    return (nearest / (overlap + 1)).clamp(max=1)
