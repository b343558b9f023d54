"""The networks of BigGAN."""

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
from ganlab_biggan.conditions import CHUNK, Conditions, InputName, SkipName, input_of
from ganlab_biggan.initialisation import InitialisationName, initialisation
from ganlab_biggan.making import Making, Slope
from ganlab_biggan.plans import DISCRIMINATOR, GENERATOR, discriminator_plan, generator_plan
from ganlab_biggan.residual import ResidualDiscriminator, ResidualGenerator

EPS = 1e-4  # of spectral and batch norm
ATTENTION = 64
_WITHOUT_CHUNKS = 128


def published_normalizer(is_shared: bool) -> Normalizer:
    """Spectral norm of all weights; batch norm over all devices, whose gains and biases are made of the condition.

    Where each class has gains and biases of its own, these are not normalized.
    """
    spectral = SpectralNormalizer(EPS)
    batch = ConditionalBatchNormalizer(eps=EPS, synchronise=True, linear=spectral if is_shared else None)
    return CombinedNormalizer([spectral, batch])


class BigGANGenerator(ResidualGenerator):
    """Latents and labels to images (Brock et al., 2019).

    For ImageNet at 128 pixels with a width of 96 there are 70,433,988 parameters. At 256 pixels attention is at maps of
    64 pixels, as in the paper; the weights that its authors published have it at 128 (`attention: [128]`).

    Args:
        shape: (channels, height, width) of an image; squares of 8 to 512 pixels, others with `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        latent_size: numbers in a latent vector; null for 20 in each chunk (120 at 128 pixels, 140 at 256, 160 at 512),
            or for 128 without chunks.
        multipliers: multiples of the width, from the smallest maps on, each twice as large as the one before; null for
            those of the paper.
        shared: numbers in the embedding of a class that all blocks share; 0 for gains and biases of each class.
        skip: latents join the class in each block: a chunk each, the whole, or none.
        attention: sides of the maps with self-attention; null for 64, where there are such maps, and [] for none.
        normalizer: for weights and activations; null for spectral norm and conditional batch norm over all devices.
        initialisation: how weights start.
        slope: Slope of the rectifiers below 0.
        conditional: use the labels where the data have them.
        conditioning: where the class enters: `normalization`, as published, `concatenated` to the latents, or `none`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "shared": 4, "multipliers": [2, 2, 1]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 96,
        latent_size: Count | None = None,
        multipliers: Sequence[Count] | None = None,
        shared: Natural = 128,
        skip: SkipName = "chunks",
        attention: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "orthogonal",
        slope: Slope = 0.0,
        conditional: bool = True,
        conditioning: InputName | None = None,
    ) -> None:
        plan = generator_plan(shape, width, multipliers, GENERATOR)
        classes, joined = input_of(conditioning, classes, conditional)
        blocks = len(plan.widths) - 1
        making = _making(normalizer or published_normalizer(bool(shared)), initialisation, slope, not shared)
        size = latent_size or (CHUNK * (blocks + 1) if skip == "chunks" else _WITHOUT_CHUNKS)
        conditions = Conditions(size, blocks, classes, shared, skip, making.initialise, joined)
        super().__init__(shape, plan, conditions, generator_stage, making, attention, ATTENTION)


class BigGANDiscriminator(ResidualDiscriminator):
    """Images and labels to logits (Brock et al., 2019).

    For ImageNet at 128 pixels with a width of 96 there are 87,982,370 parameters.

    Args:
        shape: (channels, height, width) of an image; squares of 8 to 512 pixels, others with `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        multipliers: multiples of the width, one for each block from the image on; null for those of the paper.
        halvings: how many blocks, the first ones, halve their maps; null for what is usual, all but the last.
        attention: sides of the maps with self-attention; null for 64, where there are such maps, and [] for none.
        normalizer: for weights; null for spectral norm.
        initialisation: how weights start.
        slope: Slope of the rectifiers below 0.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "multipliers": [2, 2, 2]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 96,
        multipliers: Sequence[Count] | None = None,
        halvings: Natural | None = None,
        attention: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "orthogonal",
        slope: Slope = 0.0,
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        plan, halvings = discriminator_plan(shape, width, multipliers, halvings, DISCRIMINATOR)
        making = _making(normalizer or SpectralNormalizer(EPS), initialisation, slope)
        stage = partial(discriminator_stage, making, "out")
        use = conditioning_of(conditioning, "projection", classes, conditional)
        super().__init__(shape, plan, halvings, None, stage, making, use, attention, ATTENTION)


def _making(normalizer: Normalizer, name: InitialisationName, slope: float, neutral: bool = False) -> Making:
    return Making(normalizer, initialisation(name), slope, neutral)
