"""StyleGAN's generator, and its way from the progressive one to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor, nn

from ganlab.bounds import Count, Positive
from ganlab.nn import Conv2d, Resampler, equalized
from ganlab.nn.resampling import ResamplingConv2d
from ganlab_style.adaptive import AdaptiveLayer
from ganlab_style.filters import smoother_of
from ganlab_style.generator import NoiseName, StyledGenerator
from ganlab_style.levels import Level, levels_of
from ganlab_style.mapping import MappingNetwork


class StyleGANGenerator(StyledGenerator):
    """Latents (N, latent_size) to images (N, C, H, W) of a stage (Karras et al., 2019).

    Each level has two 3x3 convolutions, and behind each: noise, bias, rectifier, and normalised features that a style
    scales and shifts. With the defaults and 1024-pixel RGB images there are 26,219,627 parameters: configuration F.
    The paper's earlier configurations are options: A is `blur: null, styles: false, mapping_layers: 0,
    input: latents, noise: false`; B has the blur; C the styles and the mapping; D `input: constant`; E the noise. F is
    E with the architecture's `style_mixing`.

    Args:
        shape: Shape of an image.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        style_size: numbers in a style; without a mapping, styles are the normalised latents.
        channel_base: maps of the larger side s have channel_base / s channels, but at most channel_max.
        channel_max: largest number of channels.
        mapping_layers: dense layers between latents and styles.
        mapping_lr_multiplier: Multiplier of the learning rate of these layers.
        conditional: use the labels where the data have them.
        styles: adaptive instance normalization in each layer; without it, pixel norm.
        input: what the first layer sees: a constant that is learned, or maps made of the (mapped) latents.
        noise: add noise to each layer, with a strength for each channel that is learned.
        average_decay: weight of the old mean of styles, towards which samples are truncated, in an update.
        blur: Taps along one axis of the filter behind each enlargement; null for none.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        latent_size: Count = 512,
        style_size: Count = 512,
        channel_base: Count = 16384,
        channel_max: Count = 512,
        mapping_layers: Annotated[int, Ge(0), Le(100)] = 8,
        mapping_lr_multiplier: Positive = 0.01,
        conditional: bool = True,
        styles: bool = True,
        input: Literal["constant", "latents"] = "constant",
        noise: bool = True,
        average_decay: Annotated[float, Ge(0), Lt(1)] = 0.995,
        blur: Sequence[Annotated[float, Gt(0)]] | None = (1.0, 2.0, 1.0),
    ) -> None:
        levels = levels_of(shape, channel_base, channel_max)
        labels = classes if conditional else 0
        mapping = MappingNetwork(latent_size, labels, style_size, mapping_layers, mapping_lr_multiplier, True)
        super().__init__(levels, latent_size, mapping, average_decay)
        size = mapping.size if styles else 0
        blurred = smoother_of(blur, "blur")

        def layer(operation: nn.Module, channels: int, resampler: Resampler | None = None) -> AdaptiveLayer:
            return AdaptiveLayer(operation, channels, size, noise, resampler)

        first = levels[0]
        entry = ConstantMaps(first) if input == "constant" else VectorMaps(mapping.size, first)
        self.blocks = nn.ModuleDict(
            {
                first.name: nn.ModuleList(
                    [layer(entry, first.channels), layer(_convolution(first, first), first.channels)]
                )
            }
        )
        for coarse, fine in zip(levels, levels[1:], strict=False):
            enlarging = ResamplingConv2d(coarse.channels, fine.channels, 3, "up", bias=False)
            self.blocks[fine.name] = nn.ModuleList(
                [
                    layer(equalized(enlarging), fine.channels, blurred),
                    layer(_convolution(fine, fine), fine.channels),
                ]
            )
        self.to_image = nn.ModuleDict({level.name: _to_image(level, shape[0]) for level in levels})

    def affine_layers(self) -> Mapping[int, Sequence[nn.Linear]]:
        """Those of the adaptive normalization; none without it."""
        layers = [layer for level in self.levels for layer in self.blocks[level.name]]  # type: ignore[attr-defined]
        return {place: [layer.adaptive.affine] for place, layer in enumerate(layers) if layer.adaptive is not None}

    def images_at(self, styles: Tensor, places: Sequence[int], noise: NoiseName = "all") -> list[Tensor]:
        """Images of styles (N, layers, size) at the levels of these places."""
        features, images = styles[:, 0], []  # what the first layer may make its maps of
        for index, level in enumerate(self.levels[: places[-1] + 1]):
            noisy = self.gets_noise(index, noise)
            for place, layer in enumerate(self.blocks[level.name], start=2 * index):  # type: ignore[arg-type]
                features = layer(features, styles[:, place], noisy)
            if index in places:
                images.append(self.to_image[level.name](features))
        return images


class ConstantMaps(nn.Module):
    """Maps that are learned, the same for all; they start at 1."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self.described_as = "Constant"
        self.maps = nn.Parameter(torch.ones(1, level.channels, level.height, level.width))

    def forward(self, vectors: Tensor) -> Tensor:
        """The maps (N, C, H, W) for as many as there are vectors (N, size)."""
        return self.maps.repeat(vectors.shape[0], 1, 1, 1)


class VectorMaps(nn.Module):
    """Maps that are linear in a vector, with a quarter of the usual gain, as published."""

    def __init__(self, size: int, level: Level) -> None:
        super().__init__()
        self.described_as = "Dense"
        self.level = level
        outputs = level.channels * level.height * level.width
        self.dense = equalized(nn.Linear(size, outputs, bias=False), gain=math.sqrt(2) / 4)

    def forward(self, vectors: Tensor) -> Tensor:
        """The maps (N, C, H, W) of vectors (N, size)."""
        maps: Tensor = self.dense(vectors)
        return maps.view(vectors.shape[0], self.level.channels, self.level.height, self.level.width)


def _convolution(inputs: Level, outputs: Level) -> nn.Module:
    return equalized(Conv2d(inputs.channels, outputs.channels, 3, padding=1, bias=False))


def _to_image(level: Level, channels: int) -> nn.Module:
    convolution = Conv2d(level.channels, channels, 1)
    assert convolution.bias is not None
    nn.init.zeros_(convolution.bias)
    return equalized(convolution, gain=1.0)
