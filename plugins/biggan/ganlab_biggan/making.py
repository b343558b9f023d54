"""How the layers of a network are made: normalized, and with weights that start as its paper says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Lt
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganlab.contracts import Normalizer
from ganlab.nn import Conditional, Conv2d, LeakyReLU, Projection, conditional_activation
from ganlab.nn.layer_weight import weight_of
from ganlab.nn.resampling import Resample, ResamplingConv2d
from ganlab_biggan.initialisation import Initialisation

Slope = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class Making:
    """The normalizer of a network, how its weights start, and the slope of its rectifiers below 0.

    `neutral` lets the layers that make gains and biases of a condition start at 0, so that all gains start at 1.
    """

    normalizer: Normalizer
    initialise: Initialisation
    slope: float = 0.0
    neutral: bool = False

    def convolution(
        self, inputs: int, outputs: int, size: int, resample: Resample | None = None, in_block: bool = True
    ) -> nn.Module:
        """A convolution with a bias that keeps the size of maps, or one that doubles or halves it."""
        layer: nn.Module = (
            Conv2d(inputs, outputs, size, padding=size // 2)
            if resample is None
            else ResamplingConv2d(inputs, outputs, size, resample)
        )
        return self.normalizer.weight(self.initialise(layer, in_block and size > 1))

    def linear(self, inputs: int, outputs: int) -> nn.Module:
        """A linear layer with a bias."""
        return self.normalizer.weight(self.initialise(nn.Linear(inputs, outputs)))

    def projection(self, classes: int, size: int) -> nn.Module:
        """A vector for each class, which features are projected on."""
        return self.normalizer.weight(self.initialise(Projection(classes, size)))

    def activation(self, channels: int, condition: int | None = None) -> NormalizedRectifier:
        """A normalization with a rectifier behind it."""
        norm = (
            self.normalizer.activation(channels)
            if condition is None
            else conditional_activation(self.normalizer, channels, condition)
        )
        for part in norm.modules():
            if isinstance(part, Conditional):
                for layer in (part.gain, part.bias):
                    self._start(layer, channels, condition or 0)
        return NormalizedRectifier(norm, self.slope, condition is not None)

    def rectifier(self) -> nn.Module:
        """A rectifier alone."""
        return LeakyReLU(self.slope)

    @torch.no_grad()
    def _start(self, layer: nn.Module, channels: int, condition: int) -> None:
        """Give a layer, which may be normalized already, the weight that it starts with."""
        drawn = torch.zeros(channels, condition)
        if not self.neutral:
            drawn = weight_of(self.initialise(nn.Linear(condition, channels, bias=False))).detach()
        if is_parametrized(layer, "weight"):
            layer.weight = drawn
        else:
            weight_of(layer).copy_(drawn)


class NormalizedRectifier(nn.Module):
    """A normalization, which a vector may modulate, and a rectifier."""

    def __init__(self, norm: nn.Module, slope: float, is_conditional: bool) -> None:
        super().__init__()
        self.norm = norm
        self.rectifier = LeakyReLU(slope)
        self.is_conditional = is_conditional

    def forward(self, features: Tensor, vector: Tensor | None = None) -> Tensor:
        """Features (N, C, H, W)."""
        normalized = self.norm(features, vector) if self.is_conditional else self.norm(features)
        result: Tensor = self.rectifier(normalized)
        return result
