"""Maxout units (Goodfellow et al., 2013)."""

from __future__ import annotations

from torch import Tensor, nn


class Maxout(nn.Module):
    """The largest of each `pieces` neighbouring channels: (N, units * pieces, ...) to (N, units, ...)."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces

    def forward(self, features: Tensor) -> Tensor:
        """Maxima over the pieces."""
        maxima: Tensor = features.unflatten(1, (-1, self.pieces)).amax(2)  # type: ignore[no-untyped-call]
        return maxima

    def extra_repr(self) -> str:
        """The option, for printing."""
        return f"pieces={self.pieces}"
