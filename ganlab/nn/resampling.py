"""Convolutions that change the size of images by two, each as one operation.

Nearest upsampling before a convolution, and average pooling after one, are linear and fold into its kernel: a kernel
with one more tap a side and a stride of two does 4/9 of the multiplications of a 3x3 one, and needs no large maps. A
1x1 convolution changes places with them and runs on the smaller maps.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor
from torch.nn.functional import interpolate, pad

from ganlab.nn.average_pool import average_pool
from ganlab.nn.convolution import Conv2d, conv2d, conv_transpose2d

Resample = Literal["up", "down"]

_SMALLEST_SIDE = 8
_LEAST_WORK = 2**14  # multiplications of a 1x1 convolution of the smaller maps


def folds(inputs: int, outputs: int, side: int, kernel_size: int) -> bool:
    """Whether folding pays for so many channels where the smaller maps have this side.

    As `benchmarks/resampling.py` measured it: on maps of 4x4 pixels, and for few channels, the larger kernel costs more
    to make than it saves. It does not depend on the batch, so that an image is the same in any.
    """
    return kernel_size == 1 or (side >= _SMALLEST_SIDE and inputs * outputs * side**2 >= _LEAST_WORK)


def upsample_conv2d(images: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Images (N, C, H, W) enlarged to (2H, 2W) by repeating pixels, then convolved to the same size.

    `weight` is (out, C, k, k) as for `conv2d`, with odd k.
    """
    if weight.shape[-1] == 1:
        return interpolate(conv2d(images, weight, bias), scale_factor=2.0, mode="nearest")
    kernel = _sum_of_shifts(weight).transpose(0, 1).flip(2, 3)
    return conv_transpose2d(images, kernel, bias, stride=2, padding=weight.shape[-1] // 2)


def conv2d_downsample(images: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Images (N, C, 2H, 2W) convolved to the same size, then reduced to (H, W) by the mean of four pixels.

    `weight` is (out, C, k, k) as for `conv2d`, with odd k.
    """
    if weight.shape[-1] == 1:
        return conv2d(average_pool(images), weight, bias)
    return conv2d(images, _sum_of_shifts(weight) / 4, bias, stride=2, padding=weight.shape[-1] // 2)


def _sum_of_shifts(weight: Tensor) -> Tensor:
    """(out, in, k, k) to (out, in, k + 1, k + 1): the sum of the kernel at its four places in the larger one."""
    rows = pad(weight, (0, 0, 0, 1)) + pad(weight, (0, 0, 1, 0))
    return pad(rows, (0, 1)) + pad(rows, (1, 0))


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
        self.fused = fused

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, inputs, H, W) to (N, outputs, 2H, 2W) or (N, outputs, H / 2, W / 2)."""
        if self._folds(images):
            return (upsample_conv2d if self.resample == "up" else conv2d_downsample)(images, self.weight, self.bias)
        if self.resample == "up":
            return super().forward(interpolate(images, scale_factor=2.0, mode="nearest"))
        return average_pool(super().forward(images))

    def _folds(self, images: Tensor) -> bool:
        if self.fused is not None:
            return self.fused
        side = min(images.shape[2:]) // (1 if self.resample == "up" else 2)
        return folds(self.in_channels, self.out_channels, side, self.kernel_size[0])
