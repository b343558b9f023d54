"""The plain convolutional networks of SNGAN, without residual blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

import torch
from ganlab_layers.batch import ConditionalBatchNormalizer
from ganlab_layers.spectral import SpectralNormalizer
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer, Scores
from ganlab.nn import ConditioningName, Conv2d, ConvTranspose2d, LeakyReLU, conditioning_of
from ganlab_biggan.conditions import Conditions, InputName, input_of
from ganlab_biggan.initialisation import InitialisationName, initialisation
from ganlab_biggan.making import Making
from ganlab_biggan.plans import generator_plan

_MULTIPLIERS = (8, 4, 2, 1)
_SLOPE = 0.1


class SNDCGANGenerator(nn.Module):
    """Latents and labels to images (Miyato et al., 2018, table 3).

    A linear layer, three transposed 4x4 convolutions that double the maps, and a 3x3 convolution; batch norm and
    rectifier behind all but the last. The paper has no labels; with them, each class has gains and biases of its own.

    Args:
        shape: (channels, height, width) of an image, whose sides are divisible by 8, of 64 pixels at most.
        classes: number of classes; 0 for data without labels.
        width: channels of the largest maps before the image; the smallest have 8 times as many.
        latent_size: numbers in a latent vector.
        normalizer: for weights and activations; null for conditional batch norm.
        initialisation: how weights start.
        conditional: use the labels where the data have them.
        conditioning: where the class enters: `normalization`, as published, `concatenated` to the latents, or `none`.
    """

    blends_labels: ClassVar[bool] = True

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "latent_size": 8}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 64,
        latent_size: Count = 128,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "normal",
        conditional: bool = True,
        conditioning: InputName | None = None,
    ) -> None:
        super().__init__()
        plan = generator_plan(shape, width, _MULTIPLIERS, {})
        making = _making(normalizer or ConditionalBatchNormalizer(), initialisation)
        self.latent_size, self.smallest = latent_size, plan.smallest
        classes, joined = input_of(conditioning, classes, conditional)
        self.classes = classes
        self.conditions = Conditions(latent_size, len(plan.widths), classes, 0, "none", making.initialise, joined)
        self.first = making.linear(self.conditions.first, plan.widths[0] * math.prod(plan.smallest))
        self.norms = nn.ModuleList(making.activation(channels, self.conditions.inside) for channels in plan.widths)
        enlarging = [_drawn(making, ConvTranspose2d(*pair, 4, 2, 1)) for pair in pairwise(plan.widths)]
        self.layers = nn.ModuleList([*enlarging, _drawn(making, Conv2d(plan.widths[-1], shape[0], 3, padding=1))])

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents and labels, which may be weights (N, classes) of a mixture of classes."""
        first, vectors = self.conditions(latents, labels)
        features = self.first(first).unflatten(1, (-1, *self.smallest))
        for norm, layer, vector in zip(self.norms, self.layers, vectors, strict=True):
            features = layer(norm(features, vector))
        return torch.tanh(features)


class SNDCGANDiscriminator(nn.Module):
    """Images and labels to logits (Miyato et al., 2018, table 3).

    3x3 convolutions that widen, 4x4 ones that halve the maps, and a linear layer on all of the last maps. In the
    authors' code it is the 4x4 ones that widen. The paper has no labels; it is the features' sum over pixels that is
    projected on the class's vector.

    Args:
        shape: (channels, height, width) of an image, whose sides are divisible by 8, of 64 pixels at most.
        classes: number of classes; 0 for data without labels.
        width: channels of the largest maps; the smallest have 8 times as many.
        normalizer: for weights; null for spectral norm.
        initialisation: how weights start.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "normal",
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        plan = generator_plan(shape, width, _MULTIPLIERS, {})
        making = _making(normalizer or SpectralNormalizer(), initialisation)
        self.conditioning = conditioning_of(conditioning, "projection", classes, conditional)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([shape[0] + self.conditioning.channels, *reversed(plan.widths)]):
            layers += [_drawn(making, Conv2d(inputs, outputs, 3, padding=1)), LeakyReLU(_SLOPE)]
            if outputs != plan.widths[0]:
                layers += [_drawn(making, Conv2d(outputs, outputs, 4, 2, 1)), LeakyReLU(_SLOPE)]
        self.layers = nn.Sequential(*layers)
        size = plan.widths[0] * math.prod(plan.smallest)
        self.last = making.linear(size, self.conditioning.logits)
        self.embedding = making.projection(classes, plan.widths[0]) if self.conditioning.projects else None
        self.classifier = making.linear(size, classes) if self.conditioning.classifies else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """What is thought of images."""
        features: Tensor = self.layers(self.conditioning.joined(images, labels))
        outputs = self.last(features.flatten(1))
        if self.embedding is not None:
            outputs = outputs + self.embedding(features.sum((2, 3)), labels)
        if self.classifier is not None:
            outputs = torch.cat([outputs, self.classifier(features.flatten(1))], dim=1)
        return self.conditioning.scores(outputs, features, labels)


def _making(normalizer: Normalizer, name: InitialisationName) -> Making:
    return Making(normalizer, initialisation(name), neutral=True)


def _drawn(making: Making, layer: nn.Module) -> nn.Module:
    return making.normalizer.weight(making.initialise(layer))
