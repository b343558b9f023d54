"""Spectral norm of weights."""

from __future__ import annotations

from torch import nn

from ganlab.nn import Normalizer, spectral_norm


class SpectralNormalizer(Normalizer):
    """Divides weights by their largest singular value, with one power iteration a training pass (Miyato et al., 2018).

    Args:
        eps: smallest norm and singular value to divide by.
    """

    def __init__(self, eps: float = 1e-12) -> None:
        self.eps = eps

    def weight(self, layer: nn.Module) -> nn.Module:
        """The convolution, transposed convolution, linear layer or embedding with its weight parametrized."""
        return spectral_norm(layer, self.eps)
