"""What both networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab import UserError
from ganlab.nn import class_shares, with_label
from ganlab.spec.model import Count

Branches = tuple[Count, Count]
"""Units of a hidden layer that sees the latents or the example alone, and of one that sees the label alone."""


class LabelsBeside(nn.Module):
    """Vectors (N, D) with one-hot labels, or shares, beside them: (N, D + classes); unchanged without classes.

    With branches, each of both passes a hidden layer of its own first.

    Args:
        dimensions: numbers in a vector.
        classes: number of classes; 0 for no labels.
        branches: units of both hidden layers, or None.
        pieces: linear units of each hidden one, as its activation wants them.
        activation: behind each hidden layer.
        weight_range: as of `linear`.

    Raises `UserError` for branches without labels.
    """

    def __init__(
        self,
        dimensions: int,
        classes: int,
        branches: Branches | None,
        pieces: int,
        activation: nn.Module,
        weight_range: float | None,
    ) -> None:
        super().__init__()
        if branches and not classes:
            raise UserError(
                "'branches' are a layer for what a network sees and one for its label, and here are no labels: leave "
                "it out, or take data with classes and a conditional network"
            )
        self.classes = classes
        self.size = sum(branches) if branches else dimensions + classes
        self.branches = nn.ModuleList(
            nn.Sequential(linear(inputs, units * pieces, weight_range), activation)
            for inputs, units in zip((dimensions, classes), branches or (), strict=False)
        )

    def forward(self, vectors: Tensor, labels: Tensor | None) -> Tensor:
        """Vectors (N, size)."""
        if not self.branches:
            return with_label(vectors, labels, self.classes)
        assert labels is not None, "a conditional network is called with labels"
        both = (vectors, class_shares(labels, self.classes).to(vectors))
        return torch.cat([branch(part) for branch, part in zip(self.branches, both, strict=True)], dim=1)


def linear(inputs: int, outputs: int, weight_range: float | None) -> nn.Linear:
    """A linear layer with torch's initial weights, or weights uniform in +-`weight_range` and biases of 0."""
    layer = nn.Linear(inputs, outputs)
    if weight_range is not None:
        nn.init.uniform_(layer.weight, -weight_range, weight_range)
        nn.init.zeros_(layer.bias)
    return layer
