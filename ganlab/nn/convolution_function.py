"""A convolution for autograd whose gradients are convolutions themselves.

Torch differentiates the gradient of a convolution by a general formula that runs group by group and convolves with
kernels as large as the images; on some processors it also loses a third of a penalty's gradient to bfloat16. Here
that second gradient costs what ordinary convolutions cost and rounds as they round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function

from ganlab.nn.autocast import cast, without_autocast

_aten = torch.ops.aten


class Geometry(NamedTuple):
    """The arguments of aten's convolution after its tensors, in its order."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    transposed: bool
    output_padding: tuple[int, ...]
    groups: int

    def adjoint(self, images: Tensor, kernel: Sequence[int], outputs: Tensor) -> Geometry:
        """The convolution with the same weight that takes gradients of `outputs` to gradients of `images`."""
        if self.transposed:
            return self._replace(transposed=False, output_padding=(0,) * len(self.stride))
        smallest = (
            (size - 1) * stride - 2 * padding + dilation * (side - 1) + 1
            for size, stride, padding, dilation, side in zip(
                outputs.shape[2:], self.stride, self.padding, self.dilation, kernel, strict=True
            )
        )
        rest = tuple(size - least for size, least in zip(images.shape[2:], smallest, strict=True))
        return self._replace(transposed=True, output_padding=rest)


# Torch's newer form of a function, with `setup_context`, reads the signature anew at each call, for 0.05 ms.
class _Convolution(Function):
    """A convolution or transposed convolution; its gradient by the images is one of the other sort."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(images, weight)
        # The backward pass of a float32 island may run where autocast is active.
        with without_autocast(images.device):
            output: Tensor = torch.convolution(images, weight, bias, *geometry)
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        images, weight = ctx.saved_tensors
        wanted = [_is_wanted(ctx, index) for index in range(3)]
        if torch.is_grad_enabled():
            return *_differentiable_gradients(gradient, images, weight, ctx.geometry, wanted), None
        channels = [gradient.shape[1]]
        return *_aten.convolution_backward.default(gradient, images, weight, channels, *ctx.geometry, wanted), None


class _WeightGradient(Function):
    """The gradient of a convolution by its weight; of the weight it takes the shape only."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, images: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        ctx.geometry = geometry
        ctx.save_for_backward(gradient, images)
        wanted = [False, True, False]
        result: Tensor = _aten.convolution_backward.default(gradient, images, weight, None, *geometry, wanted)[1]
        return result

    @staticmethod
    def backward(ctx: Any, weight: Tensor) -> tuple[Tensor | None, ...]:
        gradient, images = ctx.saved_tensors
        geometry: Geometry = ctx.geometry
        by_gradient = by_images = None
        if _is_wanted(ctx, 0):
            by_gradient = _Convolution.apply(images, weight, None, geometry)
        if _is_wanted(ctx, 1):
            adjoint = geometry.adjoint(images, weight.shape[2:], gradient)
            by_images = _Convolution.apply(gradient, weight, None, adjoint)
        return by_gradient, by_images, None, None


def _differentiable_gradients(
    gradient: Tensor, images: Tensor, weight: Tensor, geometry: Geometry, wanted: Sequence[bool]
) -> tuple[Tensor | None, ...]:
    by_images = by_weight = by_bias = None
    if wanted[0]:
        adjoint = geometry.adjoint(images, weight.shape[2:], gradient)
        by_images = _Convolution.apply(gradient, weight, None, adjoint)
    if wanted[1]:
        by_weight = _WeightGradient.apply(gradient, images, weight, geometry)
    if wanted[2]:
        by_bias = gradient.sum((0, *range(2, gradient.dim())))
    return by_images, by_weight, by_bias


def _is_wanted(ctx: Any, index: int) -> bool:
    """Whether the running backward pass needs the gradient of an input.

    `needs_input_grad` does not tell: it is true for the weights as well when a penalty asks `autograd.grad` for the
    gradient of the images only, and the gradients of the weights would double its work.
    """
    if not ctx.needs_input_grad[index]:
        return False
    node, _ = ctx.next_functions[index]
    try:
        return bool(torch._C._will_engine_execute_node(node))
    except RuntimeError:  # a leaf that `autograd.grad` was asked for
        return True


def convolve(images: Tensor, weight: Tensor, bias: Tensor | None, geometry: Geometry) -> Tensor:
    """The convolution of images (N, C, ...), in autocast's type where that is active."""
    output: Tensor = _Convolution.apply(*cast(images, weight, bias), geometry)
    return output
