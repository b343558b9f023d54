"""The networks of AC-GAN."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Lt
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer, Scores
from ganlab.errors import UserError
from ganlab.nn import (
    ConditioningName,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    LeakyReLU,
    Projection,
    ReLU,
    conditioning_of,
    with_label,
)
from ganlab.randomness import layer_normal
from ganlab_dcgan.parts import DEVIATION, activation, convolution

_GENERATOR = {32: (384, 192, 96), 128: (768, 384, 256, 192)}
_DISCRIMINATOR = (16, 32, 64, 128, 256, 512)
_HALVINGS = 3  # every second of six convolutions
Share = Annotated[float, Ge(0), Lt(1)]


class ACGANGenerator(nn.Module):
    """Latents (N, latent_size) and labels to images (N, C, H, W) in [-1, 1] (Odena et al., 2017, appendix A).

    A linear layer makes the smallest maps, 4x4 for CIFAR-10 and 8x8 for ImageNet at 128 pixels; 5x5 transposed
    convolutions double them, with a normalization and a rectifier behind all but the last. A label enters one-hot
    beside the latents.

    Args:
        shape: (channels, height, width) of an image; squares of 32 or 128 pixels, others with `widths`.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        widths: channels of the maps, the smallest first, each half as large as those after it; null for the paper's.
        normalizer: between each layer but the last and its rectifier; null means batch norm, as in the paper.
        conditional: use the labels where the data have them.
    """

    blends_labels: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"latent_size": 8, "widths": [8, 4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        latent_size: Count = 100,
        widths: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        chosen = _widths(shape, widths)
        self.latent_size, self.classes = latent_size, classes if conditional else 0
        self.smallest = _halved(shape, len(chosen), "widths")
        first = nn.Linear(latent_size + self.classes, chosen[0] * math.prod(self.smallest))
        self.first = normalizer.weight(_drawn(first))
        layers: list[nn.Module] = [activation(chosen[0], normalizer), ReLU()]
        for inputs, outputs in pairwise(chosen):
            doubling = convolution(ConvTranspose2d(inputs, outputs, 5, 2, 2, output_padding=1), normalizer)
            layers += [doubling, activation(outputs, normalizer), ReLU()]
        last = ConvTranspose2d(chosen[-1], shape[0], 5, 2, 2, output_padding=1)
        self.layers = nn.Sequential(*layers, convolution(last, normalizer), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents and labels."""
        features = self.first(with_label(latents, labels, self.classes)).unflatten(1, (-1, *self.smallest))
        images: Tensor = self.layers(features)
        return images


class ACGANDiscriminator(nn.Module):
    """Images (N, C, H, W) to logits and scores of the classes (Odena et al., 2017, appendix A).

    Noise on the images; six 3x3 convolutions, of which every second halves the maps, with leaky rectifiers and dropout,
    and normalization but behind the first; one linear layer on all of the last maps.

    Args:
        shape: (channels, height, width) of an image, whose sides are divisible by 8.
        classes: number of classes; 0 for data without labels.
        widths: channels of the six convolutions.
        noise: standard deviation of the noise on images in training; 0, 0.1 or 0.2 in the paper.
        dropout: share of each convolution's outputs that are dropped in training.
        normalizer: behind each convolution but the first; null means batch norm, as in the paper.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: a `classifier` of the classes, `projection`, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `classifier`, as published.
    """

    example: ClassVar[Mapping[str, Any]] = {"widths": [2, 2, 4, 4, 4, 4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        widths: Sequence[Count] = _DISCRIMINATOR,
        noise: Annotated[float, Ge(0)] = 0.0,
        dropout: Share = 0.5,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        self.noise = noise
        self.conditioning = conditioning_of(conditioning, "classifier", classes, conditional)
        if len(widths) != 2 * _HALVINGS:
            raise UserError(f"'widths' has {len(widths)} entries; this discriminator has {2 * _HALVINGS} convolutions")
        smallest = _halved(shape, _HALVINGS, "widths")
        layers: list[nn.Module] = []
        for place, (inputs, outputs) in enumerate(pairwise([shape[0] + self.conditioning.channels, *widths])):
            layers.append(convolution(Conv2d(inputs, outputs, 3, 1 + (place + 1) % 2, 1), normalizer))
            layers += [activation(outputs, normalizer)] if place else []
            layers += [LeakyReLU(0.2), Dropout(dropout)]
        self.layers = nn.Sequential(*layers)
        size = widths[-1] * math.prod(smallest)
        self.last = normalizer.weight(_drawn(nn.Linear(size, self.conditioning.logits)))
        self.classifier = self.projection = None
        if self.conditioning.classifies:
            self.classifier = normalizer.weight(_drawn(nn.Linear(size, classes)))
        if self.conditioning.projects:
            self.projection = normalizer.weight(_drawn(Projection(classes, size)))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """What is thought of images."""
        if self.training and self.noise:
            images = images + self.noise * layer_normal(images, *images.shape[1:])
        features = self.layers(self.conditioning.joined(images, labels)).flatten(1)
        outputs = self.last(features)
        if self.projection is not None:
            outputs = outputs + self.projection(features, labels)
        if self.classifier is not None:
            outputs = torch.cat([outputs, self.classifier(features)], dim=1)
        return self.conditioning.scores(outputs, features, labels)


def _widths(shape: tuple[int, ...], widths: Sequence[int] | None) -> Sequence[int]:
    side = shape[1] if len(shape) == 3 and shape[1] == shape[2] else 0
    chosen = widths or _GENERATOR.get(side)
    if chosen is None:
        raise UserError(
            f"AC-GAN has published networks for squares of {' and '.join(map(str, _GENERATOR))} pixels, not for "
            f"{' x '.join(map(str, shape))}: give 'widths', the channels of the maps from the smallest on"
        )
    return chosen


def _halved(shape: tuple[int, ...], times: int, option: str) -> tuple[int, int]:
    """The sides of the smallest maps. Raises `UserError` for images that cannot be halved so often."""
    if len(shape) != 3 or any(side % 2**times for side in shape[1:]):
        raise UserError(
            f"these networks halve images {times} times ('{option}'), and examples of the shape "
            f"{' x '.join(map(str, shape))} cannot be: set 'data.resolution' to a multiple of {2**times}"
        )
    return shape[1] >> times, shape[2] >> times


def _drawn(layer: nn.Linear) -> nn.Linear:
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
