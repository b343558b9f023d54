"""Convolutions that change the size of images by two, without those on the larger maps.

Nearest upsampling before a convolution, and average pooling after one, are linear, so that the mean of neighbouring
pixels may be taken on the other side of the convolution. What is left is a convolution with a stride of two, which
does a quarter of the multiplications. A 1x1 convolution changes places with resampling and runs on the smaller maps.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn.functional import interpolate

from ganlab.nn.average_pool import average_pool
from ganlab.nn.convolution import Conv2d, conv2d, conv_transpose2d
from ganlab.nn.smoothing import smooth

Resample = Literal["up", "down"]

_FEWEST_CHANNELS = {"up": 48, "down": 16}


def folds(resample: Resample, inputs: int, outputs: int, kernel_size: int) -> bool:
    """Whether folding pays for so many channels, as `benchmarks/resampling.py` measured it.

    Means are taken of the large maps, outputs of a convolution that enlarges and inputs of one that reduces: with few
    channels on its other side, the convolution costs less than they do.
    """
    return kernel_size == 1 or (inputs if resample == "up" else outputs) >= _FEWEST_CHANNELS[resample]


def upsample_conv2d(images: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Images (N, C, H, W) enlarged to (2H, 2W) by repeating pixels, then convolved to the same size.

    `weight` is (out, C, k, k) as for `conv2d`, with odd k.
    """
    if weight.shape[-1] == 1:
        return interpolate(conv2d(images, weight, bias), scale_factor=2.0, mode="nearest")
    kernel = 4 * weight.transpose(0, 1).flip(2, 3)
    return smooth(conv_transpose2d(images, kernel, bias, stride=2, padding=weight.shape[-1] // 2 - 1), grow=False)


def conv2d_downsample(images: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Images (N, C, 2H, 2W) convolved to the same size, then reduced to (H, W) by the mean of four pixels.

    `weight` is (out, C, k, k) as for `conv2d`, with odd k.
    """
    if weight.shape[-1] == 1:
        return conv2d(average_pool(images), weight, bias)
    return conv2d(smooth(images, grow=True), weight, bias, stride=2, padding=weight.shape[-1] // 2 - 1)


class ResamplingConv2d(Conv2d):
    """A convolution with an odd square kernel that doubles or halves the size of images.

    Args:
        inputs: channels of the images.
        outputs: channels of the result.
        kernel_size: side of the kernel.
        resample: enlarge by repeating pixels before, or take the mean of four pixels after the convolution.
        fused: in one operation; the same result in fewer multiplications. Null for where that is faster.
        bias: add a bias for each channel.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel_size: int,
        resample: Resample,
        fused: bool | None = None,
        bias: bool = True,
    ) -> None:
        super().__init__(inputs, outputs, kernel_size, padding=kernel_size // 2, bias=bias)
        self.resample = resample
        self.fused = folds(resample, inputs, outputs, kernel_size) if fused is None else fused

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, inputs, H, W) to (N, outputs, 2H, 2W) or (N, outputs, H / 2, W / 2)."""
        if self.fused:
            return (upsample_conv2d if self.resample == "up" else conv2d_downsample)(images, self.weight, self.bias)
        if self.resample == "up":
            return super().forward(interpolate(images, scale_factor=2.0, mode="nearest"))
        return average_pool(super().forward(images))
