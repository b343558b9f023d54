"""The residual networks of SNGAN with a projection discriminator."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ganlab_layers.batch import ConditionalBatchNormalizer
from ganlab_layers.spectral import SpectralNormalizer

from ganlab.bounds import Count, Natural
from ganlab.contracts import Normalizer
from ganlab.nn import ConditioningName, conditioning_of
from ganlab_biggan.blocks import Hidden, discriminator_stage, generator_stage
from ganlab_biggan.conditions import Conditions, InputName, input_of
from ganlab_biggan.initialisation import InitialisationName, initialisation
from ganlab_biggan.making import Making
from ganlab_biggan.plans import discriminator_plan, generator_plan
from ganlab_biggan.residual import ResidualDiscriminator, ResidualGenerator

BATCH_EPS = 2e-5
RECTIFIER_GAIN = math.sqrt(2)

GENERATOR = {
    8: (4, 4),
    16: (4, 4, 4),
    32: (4, 4, 4, 4),
    48: (8, 4, 2, 1),
    64: (16, 8, 4, 2, 1),
    128: (16, 16, 8, 4, 2, 1),
}
DISCRIMINATOR = {
    8: ((2, 2), 1),
    16: ((2, 2, 2), 2),
    32: ((2, 2, 2, 2), 2),
    48: ((1, 2, 4, 8, 16), 4),
    64: ((1, 2, 4, 8, 16), 5),
    128: ((1, 2, 4, 8, 16, 16), 5),
}


class SNGANGenerator(ResidualGenerator):
    """Latents and labels to images (Miyato et al., 2018; Miyato and Koyama, 2018).

    Each class has gains and biases of its own in every batch norm but the last; weights are not normalized. With the
    default width these are the published networks: 256 channels throughout for CIFAR-10, with 4,276,739 parameters
    without labels, and 41,996,931 for ImageNet at 128 pixels.

    Args:
        shape: (channels, height, width) of an image; squares of 8, 16, 32, 48, 64 or 128 pixels, others with
            `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        latent_size: numbers in a latent vector.
        multipliers: multiples of the width, from the smallest maps on, each twice as large as the one before; null for
            those of the paper.
        normalizer: for weights and activations; null for conditional batch norm.
        initialisation: how weights start.
        conditional: use the labels where the data have them.
        conditioning: where the class enters: `normalization`, as published, `concatenated` to the latents, or `none`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "latent_size": 8, "multipliers": [2, 2, 1]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 64,
        latent_size: Count = 128,
        multipliers: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "glorot",
        conditional: bool = True,
        conditioning: InputName | None = None,
    ) -> None:
        plan = generator_plan(shape, width, multipliers, GENERATOR)
        making = _making(normalizer or ConditionalBatchNormalizer(eps=BATCH_EPS), initialisation)
        classes, joined = input_of(conditioning, classes, conditional)
        conditions = Conditions(latent_size, len(plan.widths) - 1, classes, 0, "none", making.initialise, joined)
        super().__init__(shape, plan, conditions, generator_stage, making, [], None)


class SNGANDiscriminator(ResidualDiscriminator):
    """Images and labels to logits (Miyato et al., 2018; Miyato and Koyama, 2018).

    With the default width these are the published networks: 128 channels throughout for CIFAR-10, with 1,053,825
    parameters without labels (one more than the authors' code, whose last layer has no bias there), and 30,041,857 for
    ImageNet at 128 pixels.

    Args:
        shape: (channels, height, width) of an image; squares of 8, 16, 32, 48, 64 or 128 pixels, others with
            `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        multipliers: multiples of the width, one for each block from the image on; null for those of the paper.
        halvings: how many blocks, the first ones, halve their maps; null for what is usual.
        hidden: channels between the convolutions of a block are those that come `in` or go `out`.
        normalizer: for weights; null for spectral norm.
        initialisation: how weights start.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "multipliers": [2, 2, 2]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 64,
        multipliers: Sequence[Count] | None = None,
        halvings: Natural | None = None,
        hidden: Hidden = "in",
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "glorot",
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        plan, halvings = discriminator_plan(shape, width, multipliers, halvings, DISCRIMINATOR)
        making = _making(normalizer or SpectralNormalizer(), initialisation)
        stage = partial(discriminator_stage, making, hidden)
        use = conditioning_of(conditioning, "projection", classes, conditional)
        super().__init__(shape, plan, halvings, None, stage, making, use, [], None)


def _making(normalizer: Normalizer, name: InitialisationName) -> Making:
    return Making(normalizer, initialisation(name, RECTIFIER_GAIN), neutral=True)
