"""Spectral norm of weights."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Le
from torch import nn

from ganlab.bounds import Positive
from ganlab.nn import Normalizer, spectral_norm


class SpectralNormalizer(Normalizer):
    """Divides weights by their largest singular value, estimated by power iteration (Miyato et al., 2018).

    Args:
        eps: smallest norm and singular value to divide by.
        iterations: power iterations of each pass in training mode; there are none in eval mode.
    """

    def __init__(self, eps: Positive = 1e-12, iterations: Annotated[int, Ge(1), Le(100)] = 1) -> None:
        self.eps = eps
        self.iterations = iterations

    def weight(self, layer: nn.Module) -> nn.Module:
        """The convolution, transposed convolution, linear layer or embedding with its weight parametrized."""
        return spectral_norm(layer, self.eps, self.iterations)
