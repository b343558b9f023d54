"""Bias, leaky rectifier, gain and clamp in one function that knows that it has no second derivative."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd import Function

_aten = torch.ops.aten


class _Shape(NamedTuple):
    slope: float
    gain: float
    clamp: float | None


class _BiasActivation(Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, bias: Tensor | None, shape: _Shape) -> Tensor:
        output = _activated(features, bias, shape)
        ctx.shape = shape
        ctx.has_bias = bias is not None
        ctx.save_for_backward(output)  # which has the signs of the rectifier's input
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None]:
        (output,) = ctx.saved_tensors
        by_features = _Slopes.apply(gradient, output.detach(), ctx.shape)
        by_bias = None
        if ctx.has_bias and ctx.needs_input_grad[1]:
            by_bias = by_features.sum((0, *range(2, by_features.dim())))
        return by_features, by_bias, None


class _Slopes(Function):
    """The gradient times the slopes; linear in it, and constant in the output but where it jumps."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, output: Tensor, shape: _Shape) -> Tensor:
        ctx.shape = shape
        ctx.save_for_backward(output)
        slopes: Tensor = _aten.leaky_relu_backward.default(gradient, output, shape.slope, True)
        if shape.gain != 1:
            slopes.mul_(shape.gain)
        if shape.clamp is not None:
            slopes.masked_fill_(output.abs() >= shape.clamp, 0.0)
        return slopes

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (output,) = ctx.saved_tensors
        return _Slopes.apply(gradient, output, ctx.shape), None, None


def bias_activation(
    features: Tensor,
    bias: Tensor | None = None,
    slope: float = 0.2,
    gain: float = math.sqrt(2),
    clamp: float | None = None,
) -> Tensor:
    """A leaky rectifier of features (N, C, ...) plus a bias (C,), times `gain`, at most `clamp` in absolute value.

    With `slope` 1 there is no rectifier. The result has the features' type.
    """
    assert slope >= 0, f"the signs of the output tell those of the input for slopes of at least 0, not for {slope}"
    assert gain > 0, f"a gain is positive, not {gain}"
    shape = _Shape(slope, gain, clamp)
    if torch.compiler.is_compiling() or not torch.is_grad_enabled():
        return _activated(features, bias, shape)
    output: Tensor = _BiasActivation.apply(features, bias, shape)
    return output


def _activated(features: Tensor, bias: Tensor | None, shape: _Shape) -> Tensor:
    if bias is not None:
        features = features + bias.to(features.dtype).view(-1, *[1] * (features.dim() - 2))
    if shape.slope != 1 or bias is None:
        features = torch.nn.functional.leaky_relu(features, shape.slope)
    if shape.gain != 1:
        features = features * shape.gain
    return features if shape.clamp is None else features.clamp(-shape.clamp, shape.clamp)


class BiasActivation(nn.Module):
    """`bias_activation` with a bias that is learned and starts at 0."""

    def __init__(
        self, channels: int, slope: float = 0.2, gain: float = math.sqrt(2), clamp: float | None = None
    ) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.slope = slope
        self.gain = gain
        self.clamp = clamp

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, channels, ...) after bias, rectifier, gain and clamp."""
        return bias_activation(features, self.bias, self.slope, self.gain, self.clamp)

    def extra_repr(self) -> str:
        """The options, for printing."""
        return f"{len(self.bias)}, slope={self.slope}, gain={self.gain:.4g}, clamp={self.clamp}"
