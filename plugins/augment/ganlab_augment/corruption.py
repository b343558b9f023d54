"""Noise and missing squares."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab_augment.operations import Draws, nothing_drawn


def apply_corruption(images: Tensor, draws: Draws) -> Tensor:
    """Images with additive noise, then with a rectangle of half their sides set to 0."""
    if "noise" in draws:
        deviation = draws.normal().abs() * draws.strengths["noise"]
        deviation = draws.sometimes("noise", deviation, 0.0)
        if not nothing_drawn(deviation):
            noise = draws.random.normal("augmentation noise", *images.shape[1:]).to(images)
            images = images + noise * deviation[:, :, None, None]
    if "cutout" in draws:
        centre = draws.uniform(2)
        side = draws.sometimes("cutout", torch.full_like(centre[:, :1], draws.strengths["cutout"]), 0.0)
        if not nothing_drawn(side):
            images = images * kept(images, centre, side)
    return images


def kept(images: Tensor, centre: Tensor, side: Tensor) -> Tensor:
    """(N, 1, H, W) with 0 in a rectangle and 1 outside; centre (N, 2) and sides (N, 1) are shares of the image's."""
    height, width = images.shape[2:]
    inside = [
        ((torch.arange(size, device=images.device) + 0.5) / size - centre[:, axis, None]).abs() < side / 2
        for axis, size in enumerate((width, height))
    ]
    return (~(inside[0][:, None, None, :] & inside[1][:, None, :, None])).to(images)
