"""How the networks of SPADE start: Glorot's normal distribution with a small gain."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

_GAIN = 0.02


def initialised(layer: nn.Conv2d | nn.Linear) -> nn.Conv2d | nn.Linear:
    """The layer with the authors' initial weights: Glorot's with a gain of 0.02, biases 0."""
    nn.init.xavier_normal_(layer.weight, _GAIN)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def initialise(network: nn.Module) -> None:
    """Give all layers of a network whose weight is no function of others these initial weights."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and not is_parametrized(layer):
            initialised(layer)
