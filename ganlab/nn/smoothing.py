"""The mean of neighbouring pixels at every place, which resampling folds into convolutions with."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import avg_pool2d

from ganlab.nn.tracing import is_traced


class _Smooth(Function):
    """Linear; its gradient is the same with the other padding, for which torch scatters pixel by pixel."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, padding: int) -> Tensor:
        ctx.padding = padding
        return avg_pool2d(images, 2, 1, padding)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        smoothed: Tensor = _Smooth.apply(gradient, 1 - ctx.padding)
        return smoothed, None


def smooth(images: Tensor, *, grow: bool) -> Tensor:
    """Means of all squares of 2x2 pixels of images (N, C, H, W), those that overlap included.

    They are (H - 1, W - 1), or where images `grow` (H + 1, W + 1), with zeros around the images.
    """
    if is_traced():
        return avg_pool2d(images, 2, 1, int(grow))
    output: Tensor = _Smooth.apply(images, int(grow))
    return output
