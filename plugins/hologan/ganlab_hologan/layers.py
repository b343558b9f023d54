"""Adaptive instance normalization, and transposed convolutions whose sides are multiples of their inputs'."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn

from ganlab.nn import ConvTranspose2d, LeakyReLU, ReLU

_EPS = 1e-8

Layer = TypeVar("Layer", bound=nn.Module)


class AdaptiveNorm(nn.Module):
    """Instance normalization of maps or volumes whose gain and bias are made from the latents, by a linear layer.

    Both are rectified, so that neither is below 0, and the gain is used as it is, not added to 1: as in the authors'
    code. `gain` is the bias that gains begin with.
    """

    def __init__(self, channels: int, latent_size: int, deviation: float, gain: float = 0.0) -> None:
        super().__init__()
        self.mapping = initialised(nn.Linear(latent_size, 2 * channels), deviation)
        with torch.no_grad():
            self.mapping.bias[:channels] = gain
        self.rectifier = ReLU()

    def forward(self, features: Tensor, latents: Tensor) -> Tensor:
        """Features (N, channels, ...) normalised, with gain and bias from latents (N, size); float32 or more inside."""
        exact = features if features.dtype == torch.float64 else features.float()
        places = tuple(range(2, features.dim()))
        centred = exact - exact.mean(places, keepdim=True)
        normalized = centred * torch.rsqrt(centred.square().mean(places, keepdim=True) + _EPS)
        style = self.rectifier(self.mapping(latents)).to(exact.dtype)
        gain, bias = style.view(*style.shape, *[1] * len(places)).chunk(2, dim=1)
        return torch.addcmul(bias, normalized, gain).to(features.dtype)


class Grow(nn.Module):
    """A transposed convolution to `factor` times the sides, as TensorFlow's padding `SAME` makes it.

    What is too much is cut, the odd voxel at the end of each side.
    """

    def __init__(self, layer: nn.ConvTranspose2d | nn.ConvTranspose3d, deviation: float) -> None:
        super().__init__()
        self.layer = initialised(layer, deviation)
        self.factor = layer.stride[0]

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, channels, factor * sides...)."""
        made: Tensor = self.layer(features)
        for dimension in range(2, features.dim()):
            made = made.narrow(dimension, 0, self.factor * features.shape[dimension])
        return made


def grow_volumes(inputs: int, outputs: int, stride: int, deviation: float, bias: bool = True) -> Grow:
    """3x3x3, to twice the sides or, with stride 1, to the same."""
    return Grow(nn.ConvTranspose3d(inputs, outputs, 3, stride, padding=2 - stride, bias=bias), deviation)


def grow_maps(inputs: int, outputs: int, stride: int, deviation: float, bias: bool = True) -> Grow:
    """4x4, to twice the sides or, with stride 1, to the same."""
    return Grow(ConvTranspose2d(inputs, outputs, 4, stride, padding=1, bias=bias), deviation)


def rectifier(slope: float) -> nn.Module:
    """A ReLU, or a leaky one."""
    return LeakyReLU(slope) if slope else ReLU()


def initialised(layer: Layer, deviation: float, truncated: bool = False) -> Layer:
    """The layer with normal weights, cut at two deviations if they are `truncated`, and biases of 0."""
    weight, bias = layer.weight, layer.bias
    assert isinstance(weight, Tensor)
    if truncated:
        nn.init.trunc_normal_(weight, 0.0, deviation, -2 * deviation, 2 * deviation)
    else:
        nn.init.normal_(weight, 0.0, deviation)
    if isinstance(bias, Tensor):
        nn.init.zeros_(bias)
    return layer
