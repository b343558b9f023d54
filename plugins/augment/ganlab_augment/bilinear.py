"""Bilinear sampling that can be differentiated by the images as often as one likes.

Torch has no second derivative of its sampling. But the samples are linear in the images, so that the derivative of
either direction is the other direction.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def sample(images: Tensor, places: Tensor) -> Tensor:
    """Values of images (N, C, H, W) at places (N, h, w, 2), x before y in pixels from the first one's centre.

    Between pixels they are interpolated; outside of the image they are 0. `places` gets no gradient.
    """
    height, width = images.shape[2:]
    last = torch.tensor([width - 1, height - 1], dtype=places.dtype).clamp_min(1).to(places.device)
    grid = (places * 2 / last - 1).to(images.dtype)
    sampled: Tensor = _Sample.apply(images, grid)
    return sampled


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, grid: Tensor) -> Tensor:
        ctx.save_for_backward(grid)
        ctx.size = images.shape
        return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=True)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (grid,) = ctx.saved_tensors
        return _Spread.apply(gradient, grid, ctx.size), None


class _Spread(torch.autograd.Function):
    """The transpose of sampling: values go to the pixels that they would have come from."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, grid: Tensor, size: torch.Size) -> Tensor:
        ctx.save_for_backward(grid)
        images = values.new_empty(1).expand(size)  # of which only the shape matters
        spread: Tensor = torch.ops.aten.grid_sampler_2d_backward(values, images, grid, 0, 0, True, [True, False])[0]
        return spread

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (grid,) = ctx.saved_tensors
        return _Sample.apply(gradient, grid), None, None
