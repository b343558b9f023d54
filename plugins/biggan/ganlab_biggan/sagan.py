"""The networks of SAGAN: spectral norm in both, and self-attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from ganlab_layers.batch import ConditionalBatchNormalizer
from ganlab_layers.spectral import SpectralNormalizer

from ganlab.bounds import Count, Natural
from ganlab.contracts import Normalizer
from ganlab.nn import CombinedNormalizer, ConditioningName, conditioning_of
from ganlab_biggan.blocks import discriminator_stage, generator_stage
from ganlab_biggan.conditions import Conditions, InputName, input_of
from ganlab_biggan.initialisation import InitialisationName, initialisation
from ganlab_biggan.making import Making
from ganlab_biggan.plans import DISCRIMINATOR, GENERATOR, discriminator_plan, generator_plan
from ganlab_biggan.residual import ResidualDiscriminator, ResidualGenerator


class SAGANGenerator(ResidualGenerator):
    """Latents and labels to images (Zhang et al., 2019).

    SNGAN's network with spectral norm, and attention at maps of half the image's size. With labels and 1,000 classes
    there are 42,017,412 parameters at 128 pixels.

    Args:
        shape: (channels, height, width) of an image; squares of 8 to 512 pixels, others with `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        latent_size: numbers in a latent vector.
        multipliers: multiples of the width, from the smallest maps on, each twice as large as the one before; null for
            those of the paper.
        attention: sides of the maps with self-attention; null for half the image's, and [] for none.
        normalizer: for weights and activations; null for spectral norm and conditional batch norm.
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
        attention: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "glorot",
        conditional: bool = True,
        conditioning: InputName | None = None,
    ) -> None:
        plan = generator_plan(shape, width, multipliers, GENERATOR)
        normalizer = normalizer or CombinedNormalizer([SpectralNormalizer(), ConditionalBatchNormalizer()])
        making = _making(normalizer, initialisation)
        classes, joined = input_of(conditioning, classes, conditional)
        conditions = Conditions(latent_size, len(plan.widths) - 1, classes, 0, "none", making.initialise, joined)
        super().__init__(shape, plan, conditions, generator_stage, making, attention, max(shape[1:]) // 2)


class SAGANDiscriminator(ResidualDiscriminator):
    """Images and labels to logits (Zhang et al., 2019).

    With 1,000 classes there are 39,448,258 parameters at 128 pixels.

    Args:
        shape: (channels, height, width) of an image; squares of 8 to 512 pixels, others with `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        multipliers: multiples of the width, one for each block from the image on; null for those of the paper.
        halvings: how many blocks, the first ones, halve their maps; null for what is usual.
        attention: sides of the maps with self-attention; null for half the image's, and [] for none.
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
        attention: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "glorot",
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        plan, halvings = discriminator_plan(shape, width, multipliers, halvings, DISCRIMINATOR)
        making = _making(normalizer or SpectralNormalizer(), initialisation)
        stage = partial(discriminator_stage, making, "out")
        use = conditioning_of(conditioning, "projection", classes, conditional)
        super().__init__(shape, plan, halvings, None, stage, making, use, attention, max(shape[1:]) // 2)


def _making(normalizer: Normalizer, name: InitialisationName) -> Making:
    return Making(normalizer, initialisation(name), neutral=True)
