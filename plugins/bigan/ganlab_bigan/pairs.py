"""Convolutional discriminators of pairs: ALI's joins two networks, BiGAN's takes latents in each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Lt
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab import Scores, UserError
from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, Dropout, LeakyReLU, Maxout
from ganlab.nn import Normalizer as NoNormalizer
from ganlab_bigan.convolutions import TO_CODE, Layers, check_single_place, drawn, has_bias

Share = Annotated[float, Ge(0), Lt(1)]
Shares = tuple[Share, Share]


class ALIDiscriminator(nn.Module):
    """Images (N, *shape) and latents (N, latent_size) to logits (N,) (Dumoulin et al., 2017, appendix A).

    One network sees the images, one the latents, and a third one what both say. The defaults are those for CIFAR-10,
    with maxout units, each the largest of two linear ones; the features are what the last layer sees. Labels are
    ignored.

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers in a latent vector.
        layers: lists [kernel, stride, channels] of the convolutions, which end in a single place.
        latent_units: sizes of the layers that see the latents.
        joint_units: sizes of the layers that see both.
        pieces: linear units of a maxout unit; 1 takes leaky ReLUs instead.
        slope: Slope below zero of these.
        image_dropout: shares that are dropped of the images, and of the input of each later convolution.
        latent_dropout: the same of the latents and of what later layers of these see.
        joint_dropout: the same of the inputs of all layers that see both.
        normalizer: behind each convolution but the first; null means none, as for CIFAR-10.
        deviation: standard deviation of the initial weights.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "latent_size": 5,
        "layers": [[4, 2, 4], [3, 2, 4], [3, 1, 4]],
        "latent_units": [4],
        "joint_units": [6],
    }

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 64,
        layers: Layers = TO_CODE,
        latent_units: Sequence[Count] = (512, 512),
        joint_units: Sequence[Count] = (1024, 1024),
        pieces: Count = 2,
        slope: Positive = 0.1,
        image_dropout: Shares = (0.2, 0.5),
        latent_dropout: Shares = (0.2, 0.5),
        joint_dropout: Share = 0.5,
        normalizer: Normalizer | None = None,
        deviation: Positive = 0.01,
    ) -> None:
        super().__init__()
        check_single_place(shape, layers)
        normalizer = normalizer or NoNormalizer()
        self.latent_size = latent_size
        self.pieces, self.slope = pieces, slope
        images: list[nn.Module] = []
        channels = shape[0]
        for place, (kernel, stride, width) in enumerate(layers):
            convolution = Conv2d(channels, width * pieces, kernel, stride, bias=not place)
            images += [Dropout(image_dropout[place > 0]), drawn(convolution, normalizer, deviation)]
            images += [normalizer.activation(width * pieces)] if place else []
            images += [self._unit()]
            channels = width
        self.of_images = nn.Sequential(*images, nn.Flatten())
        latents: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(pairwise([latent_size, *latent_units])):
            linear = nn.Linear(inputs, outputs * pieces, bias=False)
            latents += [Dropout(latent_dropout[place > 0]), drawn(linear, normalizer, deviation), self._unit()]
        self.of_latents = nn.Sequential(*latents)
        joint: list[nn.Module] = []
        sizes = [channels + [latent_size, *latent_units][-1], *joint_units]
        for inputs, outputs in pairwise(sizes):
            linear = nn.Linear(inputs, outputs * pieces)
            joint += [Dropout(joint_dropout), drawn(linear, normalizer, deviation), self._unit()]
        self.of_both = nn.Sequential(*joint, Dropout(joint_dropout))
        self.last = drawn(nn.Linear(sizes[-1], 1), normalizer, deviation)

    def forward(self, images: Tensor, latents: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits of pairs."""
        features = self.of_both(torch.cat([self.of_images(images), self.of_latents(latents)], dim=1))
        return Scores(logits=self.last(features).flatten(), features=(features,))

    def _unit(self) -> nn.Module:
        return Maxout(self.pieces) if self.pieces > 1 else LeakyReLU(self.slope)


class BiGANDiscriminator(nn.Module):
    """Images (N, *shape) and latents (N, latent_size) to logits (N,), for ImageNet at 64 pixels (Donahue et al., 2017).

    5x5 convolutions that halve the maps; a linear map of the latents is added to each layer but the first before its
    normalization. Labels are ignored.

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers in a latent vector.
        widths: channels of the convolutions, the first first.
        normalizer: behind each convolution but the first; null means batch norm, as in the paper.
        deviation: standard deviation of the initial weights.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "widths": [4, 4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 200,
        widths: Sequence[Count] = (64, 128, 256, 512),
        normalizer: Normalizer | None = None,
        deviation: Positive = 0.02,
    ) -> None:
        super().__init__()
        if len(shape) != 3 or not widths:
            raise UserError(
                f"this discriminator has a convolution for each of its 'widths', {len(widths)}, and takes images, not "
                f"examples of the shape {' x '.join(map(str, shape))}; for vectors there is 'bigan_mlp'"
            )
        normalizer = normalizer or BatchNormalizer()
        bias = has_bias(normalizer)
        self.latent_size = latent_size
        self.first = drawn(Conv2d(shape[0], widths[0], 5, 2, 2), normalizer, deviation)
        pairs = list(pairwise(widths))
        self.convolutions = nn.ModuleList(
            drawn(Conv2d(a, b, 5, 2, 2, bias=bias), normalizer, deviation) for a, b in pairs
        )
        self.of_latents = nn.ModuleList(
            drawn(nn.Linear(latent_size, b, bias=False), normalizer, deviation) for _, b in pairs
        )
        self.normalizations = nn.ModuleList(normalizer.activation(b) for _, b in pairs)
        self.activation = LeakyReLU(0.2)
        height, width = (-(-side // 2 ** len(widths)) for side in shape[1:])
        self.last = drawn(nn.Linear(widths[-1] * height * width, 1, bias=False), normalizer, deviation)

    def forward(self, images: Tensor, latents: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits of pairs."""
        maps = self.activation(self.first(images))
        layers = zip(self.convolutions, self.of_latents, self.normalizations, strict=True)
        for convolution, of_latents, normalization in layers:
            maps = self.activation(normalization(convolution(maps) + of_latents(latents)[:, :, None, None]))
        features = maps.flatten(1)
        return Scores(logits=self.last(features).flatten(), features=(features,))
