"""Convolutions for networks under a penalty on a gradient: torch's layers, differentiated by `convolve`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganlab.nn.convolution_function import Geometry, convolve

Size = int | Sequence[int]


def conv2d(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """`torch.nn.functional.conv2d` of a batch (N, C, H, W), with a gradient that is fast to differentiate again."""
    stride, padding, dilation = _pair(stride), _pair(padding), _pair(dilation)
    if not _is_differentiated(images, weight, bias):
        return functional.conv2d(images, weight, bias, stride, padding, dilation, groups)
    return convolve(images, weight, bias, Geometry(stride, padding, dilation, False, (0, 0), groups))


def conv_transpose2d(
    images: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """`torch.nn.functional.conv_transpose2d` of a batch (N, C, H, W), as `conv2d` is."""
    stride, padding, dilation, output_padding = map(_pair, (stride, padding, dilation, output_padding))
    if not _is_differentiated(images, weight, bias):
        return functional.conv_transpose2d(images, weight, bias, stride, padding, output_padding, groups, dilation)
    return convolve(images, weight, bias, Geometry(stride, padding, dilation, True, output_padding, groups))


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, arguments, state and all, with a gradient that is fast to differentiate again."""

    def forward(self, images: Tensor) -> Tensor:
        """The convolution of a batch (N, C, H, W)."""
        if self.padding_mode == "zeros" and not isinstance(self.padding, str):
            return self._convolve(images, self.padding)
        mode = "constant" if self.padding_mode == "zeros" else self.padding_mode
        return self._convolve(functional.pad(images, self._reversed_padding_repeated_twice, mode), 0)

    def _convolve(self, images: Tensor, padding: Size) -> Tensor:
        return conv2d(images, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class ConvTranspose2d(nn.ConvTranspose2d):
    """`torch.nn.ConvTranspose2d`, arguments, state and all, with a gradient that is fast to differentiate again."""

    def forward(self, images: Tensor, output_size: list[int] | None = None) -> Tensor:
        """The transposed convolution of a batch (N, C, H, W)."""
        assert not isinstance(self.padding, str)  # which torch refuses for this layer
        stride, padding, kernel, dilation = map(list, (self.stride, self.padding, self.kernel_size, self.dilation))
        output_padding = self._output_padding(images, output_size, stride, padding, kernel, 2, dilation)
        return conv_transpose2d(images, self.weight, self.bias, stride, padding, output_padding, self.groups, dilation)


def _pair(size: Size) -> tuple[int, ...]:
    return tuple(size) if isinstance(size, Sequence) else (int(size), int(size))  # a number, which may be traced


def _is_differentiated(*tensors: Tensor | None) -> bool:
    """Whether a graph is made whose gradient may be differentiated; a compiled one has no second derivative."""
    if torch.compiler.is_compiling():
        return False
    return torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in tensors)
