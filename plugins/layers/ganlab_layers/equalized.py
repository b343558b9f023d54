"""Equalized learning rate."""

from __future__ import annotations

import math
from typing import Annotated

from annotated_types import Gt
from torch import nn

from ganlab.nn import Normalizer, equalized


class EqualizedNormalizer(Normalizer):
    """Stores weights with a standard deviation of 1 and scales them where they are used (Karras et al., 2018).

    Every weight then learns at a rate that goes with its scale. Weights are drawn anew, so that a network's own
    initialisation of them has no effect; biases keep theirs. An embedding is scaled by the gain alone.

    Args:
        gain: Gain of the activation behind the layers: the square root of 2 for rectifiers, 1 where the activation
            itself or nothing restores the variance.
        lr_multiplier: Factor of the learning rate of weights and biases, which does not change their initial values.
    """

    def __init__(
        self, gain: Annotated[float, Gt(0)] = math.sqrt(2), lr_multiplier: Annotated[float, Gt(0)] = 1.0
    ) -> None:
        self.gain = gain
        self.lr_multiplier = lr_multiplier

    def weight(self, layer: nn.Module) -> nn.Module:
        """The convolution, transposed convolution, linear layer or embedding with its parameters scaled."""
        return equalized(layer, self.gain, self.lr_multiplier)
