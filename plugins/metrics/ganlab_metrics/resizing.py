"""How images become what a network takes: three channels and a size, by a resize that has a name."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import interpolate

Resize = Literal["tf1_bilinear", "bicubic", "bilinear"]
"""`tf1_bilinear` is TensorFlow 1's, which published FIDs use: corners are not aligned, and nothing is antialiased.
`bicubic` and `bilinear` are antialiased, as Pillow's are; they are not rounded to bytes afterwards."""


def as_rgb(images: Tensor) -> Tensor:
    """Images with 1 (grey), 2 (grey and alpha), 3 or 4 (RGB and alpha) channels with 3; alpha is left out."""
    return images[:, :3] if images.shape[1] > 2 else images[:, :1].expand(-1, 3, -1, -1)


def resize(images: Tensor, size: int, how: Resize) -> Tensor:
    """Float images (N, C, H, W) from 0 to 255, made square with `size` pixels a side."""
    if how == "tf1_bilinear":
        return tf1_bilinear(images, size)
    return interpolate(images, (size, size), mode=how, antialias=True).clamp_(0, 255)


def tf1_bilinear(images: Tensor, size: int) -> Tensor:
    """TensorFlow 1's `resize_bilinear` without aligned corners: pixel i of the result lies at i * in / out.

    Rows and columns are interpolated one after the other, which is the same and takes fewer passes over the result.
    """
    return _along(_along(images, size, 3), size, 2)


def _along(images: Tensor, size: int, dimension: int) -> Tensor:
    length = images.shape[dimension]
    if length == size:
        return images
    places = torch.arange(size, device=images.device, dtype=torch.float32) * (length / size)
    low = places.long().clamp(max=length - 1)
    high = (low + 1).clamp(max=length - 1)
    weights = (places - low).to(images.dtype).view(-1, *[1] * (3 - dimension))
    first, second = images.index_select(dimension, low), images.index_select(dimension, high)
    return first + (second - first) * weights
