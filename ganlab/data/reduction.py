"""Images at lower resolutions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d


def reduce_images(images: Tensor, resolution: int) -> Tensor:
    """Square images (N, C, H, H) at a resolution that divides theirs: the mean of each pixel's area.

    Stored images stay in their type: means of whole numbers are rounded to the nearest.
    """
    factor, rest = divmod(images.shape[-1], resolution)
    assert not rest, f"{images.shape[-1]} pixels do not reduce to {resolution}"
    if factor == 1:
        return images
    if images.is_floating_point():
        return avg_pool2d(images, factor)
    exact = torch.float32 if images.dtype == torch.uint8 else torch.float64
    return avg_pool2d(images.to(exact), factor).round().to(images.dtype)
