"""Equalized learning rate: weights of unit variance, scaled when they are used (Karras et al., 2018)."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, linear

from ganlab.nn.convolution import Conv2d, conv2d
from ganlab.nn.resampling import conv2d_downsample, upsample_conv2d

Resample = Literal["up", "down"]


class EqualizedConv2d(Conv2d):
    """A convolution to the same size, or to twice or half of it, whose weight is scaled when it is used.

    The stored weight starts as N(0, 1 / multiplier) and is used times `gain` / sqrt(fan-in) * multiplier, which makes
    an adaptive optimizer's steps relative to the layer's own scale; the bias starts at 0 and is used times
    `multiplier`. `equalized=False` stores the product instead: the same function at the start, trained as usual.

    Args:
        inputs: channels of the images.
        outputs: channels of the result.
        kernel_size: side of the kernel.
        padding: zeros on each side; None keeps the size of the images (odd kernels).
        bias: add a bias for each channel.
        gain: square root of 2 before a rectifier, 1 before nothing.
        multiplier: of the learning rate.
        resample: enlarge by repeating pixels before, or take the mean of four pixels after the convolution.
        fused: do so in the same operation.
        equalized: scale at each use instead of once.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        *,
        padding: int | None = None,
        bias: bool = True,
        gain: float = math.sqrt(2),
        multiplier: float = 1.0,
        resample: Resample | None = None,
        fused: bool = True,
        equalized: bool = True,
    ) -> None:
        self.resample = resample
        self.fused = fused
        self.multiplier = multiplier
        self.scale = gain / math.sqrt(inputs * kernel_size**2) * multiplier
        self.equalized = equalized
        super().__init__(inputs, outputs, kernel_size, padding=kernel_size // 2 if padding is None else padding, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the stored weight; the bias is 0."""
        nn.init.normal_(self.weight, 0.0, (1.0 if self.equalized else self.scale) / self.multiplier)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, inputs, H, W) to (N, outputs, H', W')."""
        weight, bias = _used(self)
        if self.resample is None:
            return conv2d(images, weight, bias, padding=self.padding)  # type: ignore[arg-type]
        if self.fused:
            return (upsample_conv2d if self.resample == "up" else conv2d_downsample)(images, weight, bias)
        if self.resample == "up":
            images = interpolate(images, scale_factor=2.0, mode="nearest")
        images = conv2d(images, weight, bias, padding=self.padding)  # type: ignore[arg-type]
        return images if self.resample == "up" else avg_pool2d(images, 2)


class EqualizedLinear(nn.Linear):
    """A linear layer whose weight is scaled when it is used, as in `EqualizedConv2d`."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        bias: bool = True,
        gain: float = math.sqrt(2),
        multiplier: float = 1.0,
        equalized: bool = True,
    ) -> None:
        self.multiplier = multiplier
        self.scale = gain / math.sqrt(inputs) * multiplier
        self.equalized = equalized
        super().__init__(inputs, outputs, bias=bias)

    def reset_parameters(self) -> None:
        """Draw the stored weight; the bias is 0."""
        nn.init.normal_(self.weight, 0.0, (1.0 if self.equalized else self.scale) / self.multiplier)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (N, inputs) to (N, outputs)."""
        return linear(vectors, *_used(self))


def _used(layer: EqualizedConv2d | EqualizedLinear) -> tuple[Tensor, Tensor | None]:
    """Weight and bias as they enter the arithmetic."""
    scale = layer.scale if layer.equalized else layer.multiplier
    weight: Tensor = layer.weight if scale == 1 else layer.weight * scale
    bias: Tensor | None = layer.bias
    return weight, bias if bias is None or layer.multiplier == 1 else bias * layer.multiplier
