"""Minibatch discrimination: how near each example is to the others of its batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinibatchDiscrimination(nn.Module):
    """Appends `kernels` numbers to each vector of a batch (Salimans et al., 2016).

    A learned tensor makes a short vector for each kernel; its number is the sum over all other examples of
    exp(-distance), with the distance the sum of absolute differences. Batches are those of one pass on one device.
    """

    uses_batch_statistics = True

    def __init__(self, inputs: int, kernels: int = 100, dimensions: int = 5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(inputs, kernels, dimensions))
        nn.init.normal_(self.weight, 0.0, inputs**-0.5)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (N, inputs) to (N, inputs + kernels); in float32 or more inside."""
        weight = self.weight.flatten(1)
        short = (vectors @ weight).view(len(vectors), *self.weight.shape[1:])
        short = short if short.dtype == torch.float64 else short.float()
        distances = (short[:, None] - short[None]).abs().sum(3)
        near = torch.exp(-distances).sum(1) - 1  # an example is at distance 0 from itself
        return torch.cat([vectors, near.to(vectors.dtype)], dim=1)
