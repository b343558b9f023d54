"""Rectifiers that know that they have no second derivative.

Torch carries zeros back through the whole network for it when a penalty on a gradient is differentiated, which is a
third of the work of R1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn import functional

from ganlab.nn.tracing import is_traced

_aten = torch.ops.aten


class _LeakyReLU(Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, slope: float) -> Tensor:
        output: Tensor = _aten.leaky_relu.default(features, slope)
        ctx.slope = slope
        ctx.save_for_backward(output)  # which has the signs of the input, and which the next layer keeps anyway
        return output

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (output,) = ctx.saved_tensors
        return _Slopes.apply(gradient, output.detach(), ctx.slope), None


class _Slopes(Function):
    """The gradient times 1 or the slope; linear in it, and constant in the output but where it jumps."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, output: Tensor, slope: float) -> Tensor:
        ctx.slope = slope
        ctx.save_for_backward(output)
        result: Tensor = _aten.leaky_relu_backward.default(gradient, output, slope, True)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (output,) = ctx.saved_tensors
        return _Slopes.apply(gradient, output, ctx.slope), None, None


def leaky_relu(features: Tensor, slope: float = 0.2) -> Tensor:
    """Features where they are positive and `slope` (at least 0) times them elsewhere.

    After a penalty alone, parameters that act on it through the signs only, as biases do, have no gradient at all
    where torch gives them zeros.
    """
    assert slope >= 0, f"the signs of the output tell those of the input for slopes of at least 0, not for {slope}"
    if is_traced():
        return functional.leaky_relu(features, slope)
    output: Tensor = _LeakyReLU.apply(features, slope)
    return output


class LeakyReLU(nn.LeakyReLU):
    """`torch.nn.LeakyReLU`, never in place, without zeros for its second derivative."""

    def forward(self, features: Tensor) -> Tensor:
        """`leaky_relu` with the module's slope."""
        return leaky_relu(features, self.negative_slope)


class ReLU(nn.ReLU):
    """`torch.nn.ReLU`, never in place, without zeros for its second derivative."""

    def forward(self, features: Tensor) -> Tensor:
        """`leaky_relu` with slope 0."""
        return leaky_relu(features, 0.0)
