"""Weight norm."""

from __future__ import annotations

from torch import nn

from ganlab.bounds import Positive
from ganlab.nn import Normalizer, weight_norm


class WeightNormalizer(Normalizer):
    """Splits the weights of each output into a direction and a learned norm (Salimans and Kingma, 2016).

    Args:
        eps: smallest norm to divide by.
    """

    def __init__(self, eps: Positive = 1e-12) -> None:
        self.eps = eps

    def weight(self, layer: nn.Module) -> nn.Module:
        """The convolution, transposed convolution, linear layer or embedding with its weight parametrized."""
        return weight_norm(layer, self.eps)
