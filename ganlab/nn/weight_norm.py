"""Weight norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ganlab.nn.autocast import without_autocast
from ganlab.nn.layer_weight import output_dimension, weight_of


class WeightNorm(nn.Module):
    """A parametrization: each output's weights with a learned norm (Salimans and Kingma, 2016).

    The gains start at the norms that the weight has then, so that nothing changes at first. Torch's own stores two
    tensors for one, and so cannot follow another parametrization.
    """

    def __init__(self, weight: Tensor, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps
        self.gain = nn.Parameter(self._norm(weight.detach()))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with the learned norms."""
        with without_autocast(weight.device):
            return weight * (self.gain / self._norm(weight).clamp_min(self.eps))

    def right_inverse(self, weight: Tensor) -> Tensor:
        """What to store when a weight is assigned: the weight as it is; its norms become the gains."""
        self.gain.data.copy_(self._norm(weight))
        return weight

    def _norm(self, weight: Tensor) -> Tensor:
        others = [dim for dim in range(weight.dim()) if dim != self.dim]
        norm: Tensor = torch.linalg.vector_norm(weight, dim=others, keepdim=True)
        return norm


def weight_norm(layer: nn.Module, eps: float = 1e-12) -> nn.Module:
    """Put weight norm on a convolution, transposed convolution, linear layer or embedding.

    The layer is changed in place and returned.
    """
    norm = WeightNorm(weight_of(layer), output_dimension(layer), eps)
    parametrize.register_parametrization(layer, "weight", norm, unsafe=True)
    return layer
