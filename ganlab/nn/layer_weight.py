"""What normalizers of weights must know of a layer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd


def weight_of(layer: nn.Module) -> Tensor:
    """The weight of a convolution, transposed convolution, linear layer or embedding."""
    weight = layer.weight
    assert isinstance(weight, Tensor), f"{type(layer).__name__} has no weight to normalize"
    return weight


def output_dimension(layer: nn.Module) -> int:
    """The dimension of a layer's weight that has one index for each output: 1 in a transposed convolution, else 0.

    A transposed convolution stores its weight as (in, out / groups, ...); each row of an embedding is an output.
    """
    return 1 if isinstance(layer, _ConvTransposeNd) else 0


def fan_in(layer: nn.Module) -> int:
    """How many products are summed for one number of a layer's output, strides left out of account.

    That is 1 for an embedding, which picks a row.
    """
    if isinstance(layer, nn.Embedding):
        return 1
    weight, groups = weight_of(layer), 1
    if isinstance(layer, _ConvTransposeNd):
        groups = layer.groups
    return weight.numel() // weight.shape[output_dimension(layer)] // groups
