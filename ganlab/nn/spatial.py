"""Normalization that a map modulates, pixel by pixel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab.contracts import Normalizer
from ganlab.errors import UserError
from ganlab.nn.convolution import Conv2d
from ganlab.nn.leaky_relu import leaky_relu


class Spatial(nn.Module):
    """A normalization without gain and bias of its own, which are made from a map (N, spatial, H, W) instead.

    The map is resized to the images by taking nearest pixels and goes through a 3x3 convolution with a rectifier; 3x3
    convolutions of that are the bias and what is added to a gain of 1 (Park et al., 2019, "SPADE").

    Args:
        norm: the normalization, without gain and bias.
        channels: of the images.
        spatial: channels of the map.
        hidden: channels between the map and the gains and biases.
        weight: applied to the three convolutions, such as to normalize their weights.
    """

    def __init__(
        self,
        norm: nn.Module,
        channels: int,
        spatial: int,
        hidden: int = 128,
        weight: Callable[[nn.Module], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.norm = norm
        wrap = weight or _unchanged
        self.shared = wrap(Conv2d(spatial, hidden, 3, padding=1))
        self.gain = wrap(Conv2d(hidden, channels, 3, padding=1))
        self.bias = wrap(Conv2d(hidden, channels, 3, padding=1))

    def forward(self, images: Tensor, maps: Tensor) -> Tensor:
        """Normalized `images` (N, channels, H, W), modulated by `maps` of any size."""
        resized = interpolate(maps.to(images.dtype), size=images.shape[2:], mode="nearest")
        hidden = leaky_relu(self.shared(resized), 0.0)
        normalized: Tensor = self.norm(images)
        modulated: Tensor = normalized * (1 + self.gain(hidden)) + self.bias(hidden)
        return modulated


class WithoutMap(nn.Module):
    """A module that is called with a map as well and makes no use of it."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor, maps: Tensor) -> Tensor:
        """What the module makes of `images` alone."""
        output: Tensor = self.module(images)
        return output


def spatial_activation(normalizer: Normalizer, channels: int, spatial: int) -> nn.Module:
    """A normalizer's module for the output (N, channels, H, W) of a layer, called with a map (N, spatial, ...) as well.

    Raises `UserError` for a normalizer that no map can modulate.
    """
    if not getattr(normalizer, "takes_maps", False):
        raise UserError(
            f"{type(normalizer).__name__} has no gain and bias for each pixel that a map could make, as this network "
            "needs: take a normalizer that says 'takes_maps', such as batch or instance norm, alone or in a list"
        )
    able: Any = normalizer
    module: nn.Module = able.activation(channels, spatial=spatial)
    return module


def _unchanged(layer: nn.Module) -> nn.Module:
    return layer
