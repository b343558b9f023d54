"""Equalized learning rate."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ganlab.nn.layer_weight import fan_in, weight_of


class Scaled(nn.Module):
    """A parametrization: the stored parameter times a constant."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, parameter: Tensor) -> Tensor:
        """The parameter as the layer uses it."""
        return parameter * self.factor

    def right_inverse(self, parameter: Tensor) -> Tensor:
        """What to store when a parameter is assigned."""
        return parameter / self.factor

    def extra_repr(self) -> str:
        """The constant, for printing."""
        return f"{self.factor:.4g}"


def equalized(layer: nn.Module, gain: float = math.sqrt(2), lr_multiplier: float = 1.0) -> nn.Module:
    """Give a layer an equalized learning rate (Karras et al., 2018); it is changed in place and returned.

    The weight that is used is the stored one times gain / sqrt(fan-in) * lr_multiplier, where the stored one is
    drawn anew from N(0, 1 / lr_multiplier^2): whatever the layer was initialised with, the used weight starts with a
    standard deviation of gain / sqrt(fan-in). The bias keeps its initial values and learns at `lr_multiplier`.
    """
    factor = gain / math.sqrt(fan_in(layer)) * lr_multiplier
    parametrize.register_parametrization(layer, "weight", Scaled(factor), unsafe=True)
    # Through the parametrizations, as there may be others before this one.
    layer.weight = torch.randn_like(weight_of(layer)) * (factor / lr_multiplier)
    if lr_multiplier != 1.0 and isinstance(getattr(layer, "bias", None), Tensor):
        parametrize.register_parametrization(layer, "bias", Scaled(lr_multiplier), unsafe=True)
    return layer
