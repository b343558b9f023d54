"""Hidden activations by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from torch import Tensor, nn

Activation = Literal["relu", "leaky_relu", "tanh"]

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": lambda: nn.LeakyReLU(0.2),
    "tanh": nn.Tanh,
}


class Maxout(nn.Module):
    """The largest of each `pieces` neighbouring numbers: (N, units * pieces) to (N, units)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, features: Tensor) -> Tensor:
        """Maxima over the pieces."""
        return features.reshape(len(features), -1, self.pieces).amax(2)

    def extra_repr(self) -> str:
        """The option, for printing."""
        return f"pieces={self.pieces}"
