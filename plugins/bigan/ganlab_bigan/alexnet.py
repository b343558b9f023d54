"""The encoder of BiGAN for ImageNet: AlexNet's convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab import UserError
from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, LeakyReLU
from ganlab_bigan.convolutions import drawn, has_bias

_GROUPS = (1, 2, 1, 2, 2)
_KERNELS = (11, 5, 3, 3, 3)
_POOLED = 2  # convolutions that a pooling follows


class AlexNetEncoder(nn.Module):
    """Images (N, *shape) to latents (N, latent_size), by AlexNet up to its fifth convolution (Donahue et al., 2017).

    The maps are padded so that the first convolution makes a quarter of the image's side, and each of two poolings half
    of it: 4x4 of 64 pixels. Batch norm stands behind all convolutions but the first. Labels are ignored.

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers in a latent vector.
        widths: channels of the five convolutions, even numbers; three of them work in two groups.
        stochastic: tell means and logarithms of deviations (N, 2 * latent_size), as ALI's encoder.
        normalizer: behind each convolution but the first; null means batch norm, as in the paper.
        deviation: standard deviation of the initial weights.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "widths": [4, 4, 4, 4, 4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 200,
        widths: tuple[Count, Count, Count, Count, Count] = (96, 256, 384, 384, 256),
        stochastic: bool = False,
        normalizer: Normalizer | None = None,
        deviation: Positive = 0.02,
    ) -> None:
        super().__init__()
        if len(shape) != 3:
            raise UserError(f"AlexNet takes images, not examples of the shape {' x '.join(map(str, shape))}")
        if any(width % 2 for width in widths):
            raise UserError(f"'widths' are {list(widths)}; convolutions in two groups need even numbers")
        normalizer = normalizer or BatchNormalizer()
        self.latent_size, self.stochastic = latent_size, stochastic
        layers: list[nn.Module] = []
        channels = shape[0]
        for place, (width, kernel, groups) in enumerate(zip(widths, _KERNELS, _GROUPS, strict=True)):
            bias = not place or has_bias(normalizer)
            convolution = Conv2d(channels, width, kernel, 1 if place else 4, kernel // 2, groups=groups, bias=bias)
            layers += [drawn(convolution, normalizer, deviation)]
            layers += [normalizer.activation(width)] if place else []
            layers += [LeakyReLU(0.2)]
            layers += [nn.MaxPool2d(3, 2, 1)] if place < _POOLED else []
            channels = width
        height, width = (_side(side) for side in shape[1:])
        last = nn.Linear(channels * height * width, latent_size * (1 + stochastic), bias=False)
        self.layers = nn.Sequential(*layers, nn.Flatten(), drawn(last, normalizer, deviation))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """What is said of images."""
        answer: Tensor = self.layers(images)
        return answer


def _side(pixels: int) -> int:
    """Of the last maps."""
    side = -(-pixels // 4)
    for _ in range(_POOLED):
        side = -(-side // 2)
    return side
