"""The networks of StarGAN: one generator for all domains, and a discriminator that tells domains as well."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from ganlab_layers.groups import InstanceNormalizer
from torch import Tensor, nn
from torch.nn.functional import pad

from ganlab import DataFacts, Scores, UserError
from ganlab.bounds import Count, Halvings, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, ConvTranspose2d, LeakyReLU, ReLU
from ganlab_translation.domains import Domains

HEAD = "domains"
"""Name of the classifier's logits among the heads of `Scores`."""


class StarGANGenerator(nn.Module):
    """Images (N, *shape) and domains (N, size) to images in [-1, 1]; the domains enter as planes of equal numbers.

    Padding is with zeros: by reflection the planes would be the same everywhere, and the normalization would take them
    away. Sides that `downsamplings` do not divide are padded for the time in between. The defaults are the published
    network (Choi et al., 2018, table 4): 8,430,528 parameters for five attributes.

    Args:
        facts: facts of the data.
        width: channels of the first layer; each downsampling doubles them.
        blocks: residual blocks at the lowest resolution.
        downsamplings: how often the sides are halved before the blocks, and doubled behind.
        normalizer: behind each layer but the last; null means instance norm with gain and bias. The authors' code has
            running averages in it, which it does not use: its networks are always in training mode.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "blocks": 1}

    def __init__(
        self,
        facts: DataFacts,
        width: Count = 64,
        blocks: Annotated[int, Ge(0), Le(100)] = 6,
        downsamplings: Halvings = 2,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        channels = _channels(facts)
        norm = normalizer or InstanceNormalizer()
        widths = [width * 2**index for index in range(downsamplings + 1)]
        self.factor = 2**downsamplings
        layers = _normalized(Conv2d(channels + Domains(facts).size, width, 7, 1, 3, bias=False), width, norm)
        for inputs, outputs in pairwise(widths):
            layers += _normalized(Conv2d(inputs, outputs, 4, 2, 1, bias=False), outputs, norm)
        layers += [ZeroPaddedBlock(widths[-1], norm) for _ in range(blocks)]
        for inputs, outputs in pairwise(reversed(widths)):
            layers += _normalized(ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), outputs, norm)
        layers += [norm.weight(Conv2d(width, channels, 7, 1, 3, bias=False)), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor, domains: Tensor) -> Tensor:
        """Images with these domains."""
        planes = domains.to(images)[:, :, None, None].expand(-1, -1, *images.shape[2:])
        height, width = images.shape[2:]
        both = pad(torch.cat([images, planes], dim=1), (0, -width % self.factor, 0, -height % self.factor), "replicate")
        changed: Tensor = self.layers(both)
        return changed[:, :, :height, :width]


class ZeroPaddedBlock(nn.Module):
    """Two 3x3 convolutions of a residual block, padded with zeros."""

    def __init__(self, channels: int, normalizer: Normalizer) -> None:
        super().__init__()
        first, second = (Conv2d(channels, channels, 3, 1, 1, bias=False) for _ in range(2))
        self.layers = nn.Sequential(
            *_normalized(first, channels, normalizer), *_normalized(second, channels, normalizer)[:-1]
        )

    def forward(self, features: Tensor) -> Tensor:
        """`features` and what the convolutions make of them."""
        changed: Tensor = features + self.layers(features)
        return changed


class StarGANDiscriminator(nn.Module):
    """Images (N, *shape) to logits of patches (N, h, w), and to logits of all domains from the same features.

    The defaults are the published network (Choi et al., 2018, table 5): 44,762,048 parameters for five attributes at
    128x128. It has no normalization, so that a penalty on its gradient is about single images.

    Args:
        facts: facts of the data.
        width: channels of the first layer; each further one doubles them.
        depth: convolutions, each of which halves the sides.
        slope: Slope of the leaky ReLUs below zero.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "depth": 2}

    def __init__(
        self, facts: DataFacts, width: Count = 64, depth: Annotated[int, Ge(1), Le(20)] = 6, slope: Positive = 0.01
    ) -> None:
        super().__init__()
        channels = _channels(facts)
        height, across = (side >> depth for side in facts.image_shape[1:])
        if not (height and across):
            raise UserError(
                f"'depth: {depth}' of stargan's discriminator halves the sides {depth} times, which "
                f"{facts.image_shape[1]}x{facts.image_shape[2]} pixels do not allow; give at most "
                f"{min(facts.image_shape[1:]).bit_length() - 1}"
            )
        widths = [channels, *(width * 2**index for index in range(depth))]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(widths):
            layers += [Conv2d(inputs, outputs, 4, 2, 1), LeakyReLU(slope)]
        self.layers = nn.Sequential(*layers)
        self.source = Conv2d(widths[-1], 1, 3, 1, 1, bias=False)
        self.domains = Conv2d(widths[-1], sum(Domains(facts).lengths), (height, across), bias=False)

    def forward(self, images: Tensor) -> Scores:
        """What it says of images."""
        features = self.layers(images)
        return Scores(
            logits=self.source(features).squeeze(1),
            features=(features,),
            heads={HEAD: self.domains(features).flatten(1)},
        )


def _channels(facts: DataFacts) -> int:
    if facts.channels is None or facts.frames:
        raise UserError("stargan's networks change images; the examples of these data are none: take another family")
    return facts.channels


def _normalized(layer: nn.Module, channels: int, normalizer: Normalizer) -> list[nn.Module]:
    return [normalizer.weight(layer), normalizer.activation(channels), ReLU()]
