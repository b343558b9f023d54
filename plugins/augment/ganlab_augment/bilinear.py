"""Bilinear sampling, and its adjoint."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def sample(images: Tensor, grid: Tensor) -> Tensor:
    """Values of images (N, C, H, W) at places (N, h, w, 2), x before y: -1 is the first pixel's centre, 1 the last's.

    Between pixels they are interpolated; outside of the image they are 0.
    """
    return grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=True)


def spread(values: Tensor, grid: Tensor, height: int, width: int) -> Tensor:
    """The adjoint of `sample`: values (N, C, h, w) go to the pixels that they would have come from."""
    images = values.new_empty(1).expand(*values.shape[:2], height, width)  # of which only the shape matters
    made: Tensor = torch.ops.aten.grid_sampler_2d_backward(values, images, grid, 0, 0, True, [True, False])[0]
    return made
