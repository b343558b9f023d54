"""Hidden activations by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from torch import nn

from ganlab.nn import Maxout

Activation = Literal["relu", "leaky_relu", "tanh"]

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}

__all__ = ["ACTIVATIONS", "Activation", "Maxout"]
