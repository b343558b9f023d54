"""What both networks must agree on: channels, initial weights, and where the normalizer goes."""

from __future__ import annotations

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from ganlab.contracts import Normalizer
from ganlab.errors import UserError

_RESOLUTIONS = (8, 16, 32, 64, 128, 256)
_WIDEST = 8  # times the width: the published network's 4x4 layer at 64 pixels


def channel_plan(resolution: int, width: int) -> list[int]:
    """Channels of the hidden layers at 4x4, 8x8, ... and half the resolution.

    The finest has `width`, each coarser one twice as many, up to 8 times the width. Raises `UserError` for a
    resolution that doubling 4x4 does not reach.
    """
    if resolution not in _RESOLUTIONS:
        raise UserError(
            f"dcgan takes square images of {', '.join(map(str, _RESOLUTIONS))} pixels, not {resolution}: "
            "give the data one of these resolutions"
        )
    levels = resolution.bit_length() - 3
    return [width * min(2**level, _WIDEST) for level in reversed(range(levels))]


def has_bias(normalizer: Normalizer) -> bool:
    """Whether the convolutions have a bias: as in the published networks, none of them beside batch norm."""
    return not getattr(normalizer, "centers", False)


def convolution(layer: _ConvNd, normalizer: Normalizer) -> nn.Module:
    """The layer with its weight drawn from N(0, 0.02) and then normalized; its bias starts at 0."""
    nn.init.normal_(layer.weight, 0.0, 0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return normalizer.weight(layer)


def activation(channels: int, normalizer: Normalizer) -> nn.Module:
    """The normalizer's module for a hidden layer; gains of batch norm are drawn from N(1, 0.02)."""
    module = normalizer.activation(channels)
    if isinstance(module, _BatchNorm) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
    return module
