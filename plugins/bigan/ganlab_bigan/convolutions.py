"""Generator and encoder of ALI: convolutions without padding between an image and a single place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab import UserError
from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, ConvTranspose2d, LeakyReLU

Layers = Sequence[tuple[Count, Count, Count]]
"""Kernel, stride and channels of each convolution; nothing is padded."""

TO_CODE: Layers = ((5, 1, 32), (4, 2, 64), (4, 1, 128), (4, 2, 256), (4, 1, 512))
"""From 32x32 pixels to one place, for CIFAR-10 and SVHN (Dumoulin et al., 2017, tables 3 and 4)."""

_TO_IMAGE: Layers = ((4, 1, 256), (4, 2, 128), (4, 1, 64), (4, 2, 32), (5, 1, 32), (1, 1, 32))
_MOMENTUM = 0.05


class ALIGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, *shape) in [-1, 1] (Dumoulin et al., 2017, appendix A).

    Transposed convolutions, a 1x1 convolution, a bias for each pixel, and a hyperbolic tangent, where the paper's
    images and sigmoid are in [0, 1]. The defaults are the network for CIFAR-10. Labels are ignored.

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers in a latent vector.
        layers: lists [kernel, stride, channels] of each transposed convolution, the first from a single place.
        slope: Slope below zero of the leaky ReLUs.
        normalizer: between each layer but the last and its activation; null means batch norm, as in the paper.
        deviation: standard deviation of the initial weights.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "layers": [[4, 1, 4], [4, 2, 4], [4, 1, 4], [4, 1, 4]]}

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 64,
        layers: Layers = _TO_IMAGE,
        slope: Positive = 0.1,
        normalizer: Normalizer | None = None,
        deviation: Positive = 0.01,
    ) -> None:
        super().__init__()
        _check_generated(shape, layers)
        normalizer = normalizer or BatchNormalizer(momentum=_MOMENTUM)
        self.latent_size = latent_size
        parts: list[nn.Module] = [nn.Unflatten(1, (latent_size, 1, 1))]
        channels = latent_size
        for kernel, stride, width in layers:
            doubling = ConvTranspose2d(channels, width, kernel, stride, bias=has_bias(normalizer))
            parts += [drawn(doubling, normalizer, deviation), normalizer.activation(width), LeakyReLU(slope)]
            channels = width
        self.layers = nn.Sequential(*parts, drawn(Conv2d(channels, shape[0], 1, bias=False), normalizer, deviation))
        self.bias = nn.Parameter(torch.zeros(shape))

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents."""
        images: Tensor = (self.layers(latents) + self.bias).tanh()
        return images


class ALIEncoder(nn.Module):
    """Images (N, *shape) to latents (N, latent_size), or to means and logarithms of deviations (N, 2 * latent_size).

    The defaults are the network for CIFAR-10 (Dumoulin et al., 2017, table 3). Labels are ignored.

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers in a latent vector.
        layers: lists [kernel, stride, channels] of each convolution but the last one; they end in a single place.
        stochastic: tell a normal distribution of latents, as in ALI, and not the latents, as in BiGAN.
        slope: Slope below zero of the leaky ReLUs.
        normalizer: between each layer but the last and its activation; null means batch norm, as in the paper.
        deviation: standard deviation of the initial weights.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "layers": [[4, 2, 4], [3, 2, 4], [3, 1, 4]]}

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 64,
        layers: Layers = (*TO_CODE, (1, 1, 512)),
        stochastic: bool = True,
        slope: Positive = 0.1,
        normalizer: Normalizer | None = None,
        deviation: Positive = 0.01,
    ) -> None:
        super().__init__()
        check_single_place(shape, layers)
        normalizer = normalizer or BatchNormalizer(momentum=_MOMENTUM)
        self.latent_size = latent_size
        self.stochastic = stochastic
        parts: list[nn.Module] = []
        channels = shape[0]
        for kernel, stride, width in layers:
            convolution = Conv2d(channels, width, kernel, stride, bias=has_bias(normalizer))
            parts += [drawn(convolution, normalizer, deviation), normalizer.activation(width), LeakyReLU(slope)]
            channels = width
        last = nn.Linear(channels, latent_size * (1 + stochastic))
        self.layers = nn.Sequential(*parts, nn.Flatten(), drawn(last, normalizer, deviation))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """What is said of images."""
        answer: Tensor = self.layers(images)
        return answer


def check_single_place(shape: tuple[int, ...], layers: Layers) -> None:
    """Raise `UserError` unless convolutions without padding make a single place of such images."""
    if len(shape) != 3:
        raise UserError(
            f"ALI's networks take images, not examples of the shape {' x '.join(map(str, shape))}; for these take "
            "'bigan_mlp' and 'bigan_mlp_encoder'"
        )
    sides = list(shape[1:])
    for kernel, stride, _ in layers:
        sides = [max(0, (side - kernel) // stride + 1) for side in sides]
    if sides != [1, 1]:
        raise UserError(
            f"the convolutions in 'layers' make maps of {sides[0]}x{sides[1]} of {shape[1]}x{shape[2]} pixels and have "
            "to end in a single place: a kernel k and a stride s make (side - k) // s + 1 of a side; the defaults are "
            "for 32x32"
        )


def has_bias(normalizer: Normalizer) -> bool:
    """Whether a layer before this normalization needs a bias of its own."""
    return not getattr(normalizer, "centers", False)


def drawn(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, normalizer: Normalizer, deviation: float) -> nn.Module:
    """The layer with normal weights and biases of 0, as the normalizer has it."""
    nn.init.normal_(layer.weight, 0.0, deviation)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return normalizer.weight(layer)


def _check_generated(shape: tuple[int, ...], layers: Layers) -> None:
    if len(shape) != 3:
        check_single_place(shape, layers)
    side = 1
    for kernel, stride, _ in layers:
        side = (side - 1) * stride + kernel
    if tuple(shape[1:]) != (side, side):
        raise UserError(
            f"the transposed convolutions in 'layers' make images of {side}x{side} pixels, and those of the data have "
            f"{shape[1]}x{shape[2]}: a kernel k and a stride s make (side - 1) * s + k of a side; the defaults are "
            "for 32x32"
        )
