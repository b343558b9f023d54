"""What both networks are made of."""

from __future__ import annotations

from torch import nn


def linear(inputs: int, outputs: int, weight_range: float | None) -> nn.Linear:
    """A linear layer with torch's initial weights, or weights uniform in +-`weight_range` and biases of 0."""
    layer = nn.Linear(inputs, outputs)
    if weight_range is not None:
        nn.init.uniform_(layer.weight, -weight_range, weight_range)
        nn.init.zeros_(layer.bias)
    return layer
