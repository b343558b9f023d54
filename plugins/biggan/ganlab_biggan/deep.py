"""The networks of BigGAN-deep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from ganlab_layers.spectral import SpectralNormalizer
from torch import nn

from ganlab.bounds import Count, Natural
from ganlab.contracts import Normalizer
from ganlab.errors import UserError
from ganlab.nn import ConditioningName, conditioning_of
from ganlab_biggan.biggan import ATTENTION, EPS, published_normalizer
from ganlab_biggan.conditions import Conditions, InputName, input_of
from ganlab_biggan.deep_blocks import DeepDiscriminatorBlock, DeepGeneratorBlock
from ganlab_biggan.initialisation import InitialisationName, initialisation
from ganlab_biggan.making import Making, Slope
from ganlab_biggan.plans import DISCRIMINATOR, GENERATOR, discriminator_plan, generator_plan
from ganlab_biggan.residual import ResidualDiscriminator, ResidualGenerator


class BigGANDeepGenerator(ResidualGenerator):
    """Latents and labels to images (Brock et al., 2019, appendix B).

    Bottleneck blocks, `depth` for each size of maps, of which the last doubles it. All latents and the embedding of the
    class condition the first layer and every block. For ImageNet at 128 pixels there are 50,244,484 parameters.

    Args:
        shape: (channels, height, width) of an image; squares of 8 to 512 pixels, others with `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        latent_size: numbers in a latent vector.
        multipliers: multiples of the width, from the smallest maps on, each twice as large as the one before; null for
            those of the paper.
        depth: blocks for each size of maps.
        shared: numbers in the embedding of a class that all blocks share; 0 for one of `classes` numbers.
        attention: sides of the maps with self-attention; null for 64, where there are such maps, and [] for none.
        normalizer: for weights and activations; null for spectral norm and conditional batch norm over all devices.
        initialisation: how weights start.
        slope: Slope of the rectifiers below 0; 0.2 in LOGAN.
        conditional: use the labels where the data have them.
        conditioning: where the class enters: `normalization`, as published, `concatenated` to the latents, or `none`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "latent_size": 8, "shared": 4, "multipliers": [2, 2, 1]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 128,
        latent_size: Count = 128,
        multipliers: Sequence[Count] | None = None,
        depth: Annotated[int, Ge(1), Le(8)] = 2,
        shared: Natural = 128,
        attention: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "orthogonal",
        slope: Slope = 0.0,
        conditional: bool = True,
        conditioning: InputName | None = None,
    ) -> None:
        _check_order((multipliers or ())[::-1], "the shortcuts of a generator drop channels and cannot add any")
        plan = generator_plan(shape, width, multipliers, GENERATOR)
        making = _making(normalizer or published_normalizer(is_shared=True), initialisation, slope)
        blocks = depth * (len(plan.widths) - 1)
        classes, joined = input_of(conditioning, classes, conditional)
        conditions = Conditions(latent_size, blocks, classes, shared, "whole", making.initialise, joined)
        stage = partial(_generator_stage, depth)
        super().__init__(shape, plan, conditions, stage, making, attention, ATTENTION)


class BigGANDeepDiscriminator(ResidualDiscriminator):
    """Images and labels to logits (Brock et al., 2019, appendix B).

    A 3x3 convolution, then bottleneck blocks, `depth` for each size of maps, of which the first halves it. For ImageNet
    at 128 pixels there are 34,590,210 parameters.

    Args:
        shape: (channels, height, width) of an image; squares of 8 to 512 pixels, others with `multipliers`.
        classes: number of classes; 0 for data without labels.
        width: channels of the widths that `multipliers` multiply.
        multipliers: multiples of the width, that of the first convolution and then one for each size of maps; null for
            those of the paper.
        halvings: how many stages, the first ones, halve their maps; null for what is usual.
        depth: blocks for each size of maps.
        attention: sides of the maps with self-attention; null for 64, where there are such maps, and [] for none.
        normalizer: for weights; null for spectral norm.
        initialisation: how weights start.
        slope: Slope of the rectifiers below 0; 0.2 in LOGAN.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "multipliers": [1, 2, 2]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 128,
        multipliers: Sequence[Count] | None = None,
        halvings: Natural | None = None,
        depth: Annotated[int, Ge(1), Le(8)] = 2,
        attention: Sequence[Count] | None = None,
        normalizer: Normalizer | None = None,
        initialisation: InitialisationName = "orthogonal",
        slope: Slope = 0.0,
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        _check_order(multipliers or (), "the shortcuts of a discriminator add channels and cannot drop any")
        if halvings is None and multipliers:
            halvings = len(multipliers) - 1
        plan, halvings = discriminator_plan(shape, width, multipliers, halvings, DISCRIMINATOR)
        making = _making(normalizer or SpectralNormalizer(EPS), initialisation, slope)
        use = conditioning_of(conditioning, "projection", classes, conditional)
        stem = making.convolution(shape[0] + use.channels, plan.widths[0], 3, in_block=False)
        stage = partial(_discriminator_stage, depth, making)
        super().__init__(shape, plan, halvings, stem, stage, making, use, attention, ATTENTION)


def _check_order(rising: Sequence[int], why: str) -> None:
    for before, after in pairwise(rising):
        if before > after:
            raise UserError(f"neighbours in 'multipliers' are {before} and {after}: {why}")


def _making(normalizer: Normalizer, name: InitialisationName, slope: float) -> Making:
    return Making(normalizer, initialisation(name), slope)


def _generator_stage(depth: int, inputs: int, outputs: int, condition: int | None, making: Making) -> list[nn.Module]:
    same = [DeepGeneratorBlock(inputs, inputs, condition, making, enlarges=False) for _ in range(depth - 1)]
    return [*same, DeepGeneratorBlock(inputs, outputs, condition, making, enlarges=True)]


def _discriminator_stage(
    depth: int, making: Making, inputs: int, outputs: int, halves: bool, is_first: bool
) -> list[nn.Module]:
    del is_first  # the convolution before it makes it a block like any other
    same = [DeepDiscriminatorBlock(outputs, outputs, making, halves=False) for _ in range(depth - 1)]
    return [DeepDiscriminatorBlock(inputs, outputs, making, halves=halves), *same]
