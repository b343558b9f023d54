"""StyleGAN2 generators of other programs: what their layouts have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from torch import Tensor, nn

from ganlab.errors import UserError
from ganlab.foreign import put
from ganlab_style.layers import HALF
from ganlab_style.stylegan2_generator import StyleGAN2Generator

_SETTLED = 1_000_000
"""Updates behind a mean style that is complete: it needs no correction for its start at 0."""


class Modulated(NamedTuple):
    """A modulated convolution as both layouts store it: weights before their constant factors."""

    weight: Tensor
    affine_weight: Tensor
    affine_bias: Tensor
    bias: Tensor
    noise: Tensor | None = None


class StyleWeights(Protocol):
    """The weights of a generator, by what they are for."""

    def constant(self) -> Tensor:
        """Maps (1, C, 4, 4)."""
        ...

    def mean_style(self) -> Tensor:
        """The mean style (size,)."""
        ...

    def dense(self, index: int) -> tuple[Tensor, Tensor]:
        """Weight and bias of a layer of the mapping."""
        ...

    def embedding(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of what labels pass."""
        ...

    def convolution(self, resolution: int, place: int) -> Modulated:
        """The first (0) or second (1) convolution of a resolution; the smallest has the second alone."""
        ...

    def image(self, resolution: int) -> Modulated:
        """What makes images of a resolution."""
        ...

    def shortcut(self, resolution: int) -> Tensor:
        """The weight of the other branch of a residual block."""
        ...


def node_of(generator: Mapping[str, Any]) -> dict[str, Any]:
    """The node of an architecture with this generator, and the least of everything that only a training needs."""
    discriminator = {"channel_base": 1, "channel_max": 1, "stddev_group": 0, "conditioning": "none"}
    return {
        "name": "style",
        "generator": {"name": "stylegan2", **generator},
        "discriminator": {"name": "stylegan2", **discriminator},
        "loss": "non_saturating",
    }


def channel_options(channels: Mapping[int, int]) -> dict[str, int]:
    """`channel_base` and `channel_max` for these channels by resolution. Raises `UserError` if there are none."""
    base, most = max(resolution * count for resolution, count in channels.items()), max(channels.values())
    for resolution, count in channels.items():
        if max(1, min(base // resolution, most)) != count:
            raise UserError(
                f"the layers of {resolution} pixels have {count} channels, and no 'channel_base' and 'channel_max' of "
                "stylegan2 give the channels of all resolutions of the file"
            )
    return {"channel_base": base, "channel_max": most}


def fill(generator: nn.Module, weights: StyleWeights) -> None:
    """Give a generator its weights. Raises `RunError` for those that are missing or do not fit."""
    assert isinstance(generator, StyleGAN2Generator)
    put(generator, "constant", weights.constant())
    put(generator.average, "value", weights.mean_style())
    generator.average.updates.fill_(_SETTLED)
    _fill_mapping(generator, weights)
    for level in generator.levels:
        block: Any = generator.blocks[level.name]
        for place, layer in enumerate(block, start=2 - len(block)):
            _fill_modulated(layer, weights.convolution(level.side, place))
        if level.name in generator.to_image:
            _fill_modulated(generator.to_image[level.name], weights.image(level.side))
        if level.name in generator.shortcuts:
            raw, shortcut = weights.shortcut(level.side), generator.shortcuts[level.name]
            put(shortcut.convolution, "weight", raw * (HALF / math.sqrt(raw[0].numel())))


def _fill_mapping(generator: StyleGAN2Generator, weights: StyleWeights) -> None:
    mapping = generator.mapping
    if mapping.embedding is not None:
        raw, bias = weights.embedding()
        put(mapping.embedding, "weight", raw / math.sqrt(raw.shape[1]))
        put(mapping.embedding, "bias", bias)
    dense, activations = mapping.layers[::2], mapping.layers[1::2]
    for index, (layer, activation) in enumerate(zip(dense, activations, strict=True)):
        raw, bias = weights.dense(index)
        multiplier: Any = activation.lr_multiplier
        put(layer, "weight", raw * (multiplier / math.sqrt(raw.shape[1])))
        put(activation, "bias", bias)


def _fill_modulated(layer: Any, given: Modulated) -> None:
    put(layer, "weight", given.weight)
    put(layer.affine, "weight", given.affine_weight / math.sqrt(given.affine_weight.shape[1]))
    put(layer.affine, "bias", given.affine_bias)
    put(layer.activation, "bias", given.bias)
    if getattr(layer, "noise_strength", None) is not None:
        assert given.noise is not None
        put(layer, "noise_strength", given.noise.reshape(()))
