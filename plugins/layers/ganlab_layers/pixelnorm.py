"""Pixel norm of activations."""

from __future__ import annotations

from torch import nn

from ganlab.bounds import Positive
from ganlab.nn import Normalizer, PixelNorm


class PixelNormalizer(Normalizer):
    """Scales the channel vector of each pixel to a root mean square of 1 (Karras et al., 2018).

    Args:
        eps: added to the mean square.
    """

    def __init__(self, eps: Positive = 1e-8) -> None:
        self.eps = eps

    def activation(self, channels: int, condition: int | None = None) -> nn.Module:
        """A `PixelNorm`, which has no parameters and ignores a conditioning vector."""
        return PixelNorm(self.eps)
