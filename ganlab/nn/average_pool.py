"""Average pooling for networks under a penalty on a gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from ganlab.nn.tracing import is_traced

_aten = torch.ops.aten


class _AveragePool(Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, size: int) -> Tensor:
        ctx.size, ctx.shape = size, images.shape[2:]
        return functional.avg_pool2d(images, size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        repeated: Tensor = _aten.upsample_nearest2d.default(gradient / ctx.size**2, ctx.shape)
        return repeated, None


def average_pool(images: Tensor, size: int = 2) -> Tensor:
    """Means of the squares of `size` x `size` pixels that images (N, C, H, W) consist of.

    It is torch's `avg_pool2d`, except that its second derivative, which is zero, costs nothing: torch carries zeros
    back through the whole network.
    """
    height, width = images.shape[2:]
    assert height % size == width % size == 0, f"{height} x {width} pixels do not divide into squares of {size}"
    if is_traced():
        return functional.avg_pool2d(images, size)
    output: Tensor = _AveragePool.apply(images, size)
    return output


class AveragePool(nn.Module):
    """`average_pool` as a layer."""

    def __init__(self, size: int = 2) -> None:
        super().__init__()
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, C, H / size, W / size)."""
        return average_pool(images, self.size)

    def extra_repr(self) -> str:
        """The option, for printing."""
        return f"size={self.size}"
