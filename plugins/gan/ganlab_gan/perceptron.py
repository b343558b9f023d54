"""What both networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab.nn import class_shares


def with_labels(vectors: Tensor, labels: Tensor | None, classes: int) -> Tensor:
    """Vectors (N, D) with one-hot labels, or shares, beside them: (N, D + classes); unchanged without classes."""
    if not classes:
        return vectors
    assert labels is not None, "a conditional network is called with labels"
    return torch.cat([vectors, class_shares(labels, classes).to(vectors)], dim=1)


def linear(inputs: int, outputs: int, weight_range: float | None) -> nn.Linear:
    """A linear layer with torch's initial weights, or weights uniform in +-`weight_range` and biases of 0."""
    layer = nn.Linear(inputs, outputs)
    if weight_range is not None:
        nn.init.uniform_(layer.weight, -weight_range, weight_range)
        nn.init.zeros_(layer.bias)
    return layer
