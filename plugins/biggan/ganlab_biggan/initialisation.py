"""How the weights of a layer start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import nn
from torch.nn import init

from ganlab.nn.layer_weight import weight_of

InitialisationName = Literal["orthogonal", "glorot", "normal"]
Initialisation = Callable[..., nn.Module]
"""Called with a layer, and `gain` where one is wanted: the layer with its weight drawn and its bias at 0."""

_DEVIATION = 0.02


def initialisation(name: InitialisationName, gain_of_blocks: float = 1.0) -> Initialisation:
    """What draws weights by this name.

    `orthogonal` gives filters that are orthogonal to each other (BigGAN), `glorot` a uniform distribution with the
    variance 2 / (fan-in + fan-out), times the square of `gain_of_blocks` in the 3x3 convolutions of residual blocks
    (SNGAN), and `normal` a standard deviation of 0.02.
    """

    def initialise(layer: nn.Module, in_block: bool = False) -> nn.Module:
        weight = weight_of(layer)
        if weight.is_meta:  # where nothing is computed, and pretending to takes long
            return layer
        if name == "orthogonal":
            init.orthogonal_(weight)
        elif name == "glorot":
            init.xavier_uniform_(weight, gain_of_blocks if in_block else 1.0)
        else:
            init.normal_(weight, 0.0, _DEVIATION)
        bias = getattr(layer, "bias", None)
        if bias is not None:
            init.zeros_(bias)
        return layer

    return initialise
