"""How the convolutions of networks between images start that draw their weights from a narrow normal distribution."""

from __future__ import annotations

from torch import nn

from ganlab.contracts import Normalizer

DEVIATION = 0.02


def convolution(layer: nn.Conv2d, normalizer: Normalizer) -> nn.Module:
    """A convolution with weights drawn from N(0, 0.02) and biases of 0, its weight normalized."""
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return normalizer.weight(layer)


def activation(channels: int, normalizer: Normalizer) -> nn.Module:
    """A normalizer's module for the output of a convolution; its gains start at N(1, 0.02)."""
    module = normalizer.activation(channels)
    gain = getattr(module, "weight", None)
    if gain is not None:
        nn.init.normal_(gain, 1.0, DEVIATION)
    return module


def has_bias(normalizer: Normalizer, everywhere: bool) -> bool:
    """Whether a convolution before a normalizer has a bias: where it is of use, or everywhere."""
    return everywhere or not getattr(normalizer, "centers", False)
