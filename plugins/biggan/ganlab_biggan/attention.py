"""Self-attention over the pixels of a map."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from ganlab.nn import Conv2d
from ganlab_biggan.making import Making


class SelfAttention(nn.Module):
    """Adds to each pixel what it takes from all others (Zhang et al., 2019).

    Queries and keys have an eighth of the channels, values half of them; keys and values are pooled to half the size,
    as in the authors' code. What is added has a learned weight that starts at 0, so that the layer starts as the
    identity.
    """

    def __init__(self, channels: int, making: Making) -> None:
        super().__init__()
        inside, values = max(1, channels // 8), max(1, channels // 2)

        def projection(inputs: int, outputs: int) -> nn.Module:
            return making.normalizer.weight(making.initialise(Conv2d(inputs, outputs, 1, bias=False)))

        self.query = projection(channels, inside)
        self.key = projection(channels, inside)
        self.value = projection(channels, values)
        self.output = projection(values, channels)
        self.strength = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, channels, H, W) of even sides."""
        queries = self.query(features).flatten(2)
        keys = max_pool2d(self.key(features), 2).flatten(2)
        values = max_pool2d(self.value(features), 2).flatten(2)
        weights = torch.softmax(queries.transpose(1, 2) @ keys, dim=-1)
        taken = (values @ weights.transpose(1, 2)).unflatten(2, features.shape[2:])
        result: Tensor = features + self.strength * self.output(taken)
        return result
