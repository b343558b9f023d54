"""Filters as matrices, for both axes of an image.

A product with a banded matrix does more arithmetic than a convolution of a single channel needs, and is still several
times faster; in blocks of rows it skips most of the zeros of large matrices.
"""

from __future__ import annotations

import torch
from torch import Tensor

_ROWS = 48  # of a block: fewer make the products too small to be fast


def banded(taps: Tensor, count: int, step: int = 1) -> Tensor:
    """Matrices (..., count, (count - 1) * step + K) whose row n has the taps (..., K) from place n * step on."""
    length = taps.shape[-1]
    columns = torch.arange((count - 1) * step + length, device=taps.device)
    places = columns - step * torch.arange(count, device=taps.device)[:, None]
    inside = (places >= 0) & (places < length)
    return taps[..., places.clamp(0, length - 1)] * inside


class Blocks:
    """A matrix (h, H) of which each row has few numbers, near to those of its neighbours."""

    def __init__(self, matrix: Tensor) -> None:
        # On an accelerator, one large product takes less time than many small ones.
        rows = _ROWS if matrix.device.type == "cpu" else len(matrix)
        self._blocks = [_without_zeros(block) for block in matrix.split(rows)]

    def __matmul__(self, images: Tensor) -> Tensor:
        """The matrix times images (..., H, W)."""
        parts = [block @ images[..., first : first + block.shape[1], :] for first, block in self._blocks]
        return torch.cat(parts, dim=-2) if len(parts) > 1 else parts[0]


def _without_zeros(block: Tensor) -> tuple[int, Tensor]:
    """The first column that is not zero, and the block without the columns before it and those after the last one."""
    if block.device.type != "cpu":
        return 0, block
    used = block.abs().amax(0).nonzero()[:, 0].tolist() or [0]
    return used[0], block[:, used[0] : used[-1] + 1].contiguous()
