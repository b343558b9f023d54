"""What both networks are made of."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganlab import InputFacts, UserError
from ganlab.bounds import Count
from ganlab.nn import class_shares

Branches = tuple[Count, Count]
"""Units of a hidden layer that sees the latents or the example alone, and of one that sees the label alone."""

Inputs = Mapping[str, Tensor] | None


class ConditionBeside(nn.Module):
    """Vectors (N, D) with what they are conditioned on beside them: (N, D + size), unchanged without any of it.

    That is the label one-hot, or shares of classes, and an input of the data that holds numbers. With branches, the
    vectors and all of the condition pass a hidden layer of their own each first.

    Args:
        dimensions: numbers in a vector.
        classes: number of classes; 0 for no labels.
        condition: name of the input, or None.
        inputs: of the data.
        branches: units of both hidden layers, or None.
        pieces: linear units of each hidden one, as its activation wants them.
        activation: behind each hidden layer.
        weight_range: as of `linear`.

    Raises `UserError` for branches without a condition, and for an input that there is not or that holds no numbers.
    """

    def __init__(
        self,
        dimensions: int,
        classes: int,
        condition: str | None,
        inputs: Mapping[str, InputFacts] | None,
        branches: Branches | None,
        pieces: int,
        activation: nn.Module,
        weight_range: float | None,
    ) -> None:
        super().__init__()
        self.classes, self.condition = classes, condition
        size = classes + (0 if condition is None else _numbers_in(condition, inputs or {}))
        if branches and not size:
            raise UserError(
                "'branches' are a layer for what a network sees and one for its label, and here are no labels: leave "
                "it out, or take data with classes and a conditional network, or name a 'condition'"
            )
        self.size = sum(branches) if branches else dimensions + size
        self.branches = nn.ModuleList(
            nn.Sequential(linear(numbers, units * pieces, weight_range), activation)
            for numbers, units in zip((dimensions, size), branches or (), strict=False)
        )

    def forward(self, vectors: Tensor, labels: Tensor | None, inputs: Inputs) -> Tensor:
        """Vectors (N, size)."""
        parts = []
        if self.classes:
            assert labels is not None, "a conditional network is called with labels"
            parts.append(class_shares(labels, self.classes).to(vectors))
        if self.condition is not None:
            assert inputs is not None, "a network with a condition is called with inputs"
            parts.append(inputs[self.condition].flatten(1).to(vectors))
        if not self.branches:
            return torch.cat([vectors, *parts], dim=1) if parts else vectors
        both = (vectors, torch.cat(parts, dim=1))
        return torch.cat([branch(part) for branch, part in zip(self.branches, both, strict=True)], dim=1)


def _numbers_in(condition: str, inputs: Mapping[str, InputFacts]) -> int:
    """How many there are in the input of this name."""
    if condition not in inputs:
        raise UserError(
            f"'condition' names the input '{condition}', and the data's inputs are: {', '.join(inputs) or 'none'}"
        )
    if inputs[condition].kind != "numbers":
        raise UserError(
            f"'condition' takes an input of numbers, such as attributes; '{condition}' holds {inputs[condition].kind}"
        )
    return inputs[condition].dimensions


def linear(inputs: int, outputs: int, weight_range: float | None) -> nn.Linear:
    """A linear layer with torch's initial weights, or weights uniform in +-`weight_range` and biases of 0."""
    layer = nn.Linear(inputs, outputs)
    if weight_range is not None:
        nn.init.uniform_(layer.weight, -weight_range, weight_range)
        nn.init.zeros_(layer.bias)
    return layer
