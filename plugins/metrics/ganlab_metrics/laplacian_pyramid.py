"""The Laplacian pyramid of ProGAN's sliced Wasserstein distance."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def level_sizes(height: int, width: int, coarsest: int = 16) -> list[tuple[int, int]]:
    """Sizes of the levels, finest first: halved as long as both sides are even and have `coarsest` pixels or more."""
    sizes = [(height, width)]
    while height % 2 == 0 and width % 2 == 0 and min(height, width) // 2 >= coarsest:
        height, width = height // 2, width // 2
        sizes.append((height, width))
    return sizes


def laplacian_pyramid(images: Tensor, levels: int) -> list[Tensor]:
    """Float images (N, C, H, W) as band-pass levels, finest first; the last one is the low-pass rest."""
    pyramid = []
    for _ in range(levels - 1):
        coarser = _blur(images)[..., ::2, ::2]
        pyramid.append(images - _upsample(coarser))
        images = coarser
    return [*pyramid, images]


def _upsample(images: Tensor) -> Tensor:
    """Twice the size: zeros between the pixels, then the filter with four times the gain."""
    count, channels, height, width = images.shape
    spread = images.new_zeros(count, channels, height * 2, width * 2)
    spread[..., ::2, ::2] = images
    return _blur(spread) * 4


def _blur(images: Tensor) -> Tensor:
    """The binomial filter of 5 x 5 pixels, borders mirrored."""
    taps = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0], dtype=images.dtype, device=images.device) / 16
    channels = images.shape[1]
    padded = F.pad(images, (2, 2, 2, 2), mode="reflect")
    rows = F.conv2d(padded, taps.view(1, 1, 1, 5).expand(channels, 1, 1, 5), groups=channels)
    return F.conv2d(rows, taps.view(1, 1, 5, 1).expand(channels, 1, 5, 1), groups=channels)
