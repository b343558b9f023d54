"""StyleGAN2's generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor, nn

from ganlab.bounds import Count, Positive
from ganlab.nn import Resampler
from ganlab_style.filters import check_growing, resampler_of
from ganlab_style.generator import NoiseName, StyledGenerator
from ganlab_style.layers import HALF, Shortcut, StyledConvolution, StyledImage
from ganlab_style.levels import Level, levels_of
from ganlab_style.mapping import MappingNetwork

Connections = Literal["skip", "residual", "original"]


class StyleGAN2Generator(StyledGenerator):
    """Latents (N, latent_size) to images (N, C, H, W) (Karras et al., 2020).

    A constant of the smallest size passes through modulated convolutions, two for each level, whose weights the styles
    scale and which are demodulated. With the defaults and 1024-pixel RGB images there are 30,370,060 parameters:
    configuration F. Configuration E has `channel_base: 16384`. Images need not be square.

    Args:
        shape: Shape of an image.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        style_size: numbers in a style.
        connections: Each level adds to an image that is enlarged from level to level (`skip`), or adds to features that
            are (`residual`), or neither (`original`).
        channel_base: maps of the larger side s have channel_base / s channels, but at most channel_max.
        channel_max: largest number of channels.
        mapping_layers: dense layers between latents and styles.
        mapping_lr_multiplier: Multiplier of the learning rate of these layers.
        conditional: use the labels where the data have them.
        noise: add noise to each layer, whose strength is learned.
        average_decay: weight of the old mean of styles, towards which samples are truncated, in an update.
        filter: taps along one axis of the filter that enlarges.
        growing: have layers for images of every level, as growth needs, for `original` connections.
        clamp: Largest absolute value of features, for training in low precision; 256 in later code of the authors.
        fused: make a weight for each image instead of scaling inputs and outputs; the same function, and slower.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        latent_size: Count = 512,
        style_size: Count = 512,
        connections: Connections = "skip",
        channel_base: Count = 32768,
        channel_max: Count = 512,
        mapping_layers: Annotated[int, Ge(0), Le(100)] = 8,
        mapping_lr_multiplier: Positive = 0.01,
        conditional: bool = True,
        noise: bool = True,
        average_decay: Annotated[float, Ge(0), Lt(1)] = 0.995,
        filter: Sequence[Annotated[float, Gt(0)]] = (1.0, 3.0, 3.0, 1.0),
        growing: bool = False,
        clamp: Positive | None = None,
        fused: bool = False,
    ) -> None:
        levels = levels_of(shape, channel_base, channel_max)
        mapping = MappingNetwork(
            latent_size, classes if conditional else 0, style_size, mapping_layers, mapping_lr_multiplier
        )
        super().__init__(levels, latent_size, mapping, average_decay)
        self.growing = growing
        check_growing(growing, connections)
        self.connections = connections
        self.resampler = resampler_of(filter, "filter")
        size = mapping.size
        first = levels[0]
        self.constant = nn.Parameter(torch.randn(1, first.channels, first.height, first.width))

        def convolution(inputs: int, outputs: int, resampler: Resampler | None = None) -> StyledConvolution:
            return StyledConvolution(inputs, outputs, size, resampler, noise, clamp, fused)

        self.blocks = nn.ModuleDict({first.name: nn.ModuleList([convolution(first.channels, first.channels)])})
        self.shortcuts = nn.ModuleDict()
        for coarse, fine in zip(levels, levels[1:], strict=False):
            self.blocks[fine.name] = nn.ModuleList(
                [convolution(coarse.channels, fine.channels, self.resampler), convolution(fine.channels, fine.channels)]
            )
            if connections == "residual":
                self.shortcuts[fine.name] = Shortcut(coarse.channels, fine.channels, self.resampler, enlarges=True)
        shown = levels if growing or connections == "skip" else levels[-1:]
        self.to_image = nn.ModuleDict(
            {level.name: StyledImage(level.channels, shape[0], size, clamp, fused) for level in shown}
        )

    @property
    def grows(self) -> bool:
        """Whether there are layers for images of every level, none of which needs the others."""
        return self.growing

    def affine_layers(self) -> Mapping[int, Sequence[nn.Linear]]:
        """Those of the convolutions and of the images that levels add."""
        found: dict[int, list[nn.Linear]] = {place: [] for place in range(self.layers)}
        for index, level in enumerate(self.levels):
            for place, convolution in enumerate(self.blocks[level.name], start=max(0, 2 * index - 1)):  # type: ignore[arg-type]
                found[place].append(convolution.affine)
            if level.name in self.to_image:
                found[2 * index + 1].append(self.to_image[level.name].affine)  # type: ignore[arg-type]
        return found

    @property
    def shows_levels(self) -> bool:
        """Whether there are images at every level; those of skip connections are the sums so far."""
        return self.growing or self.connections == "skip"

    def images_at(self, styles: Tensor, places: Sequence[int], noise: NoiseName = "all") -> list[Tensor]:
        """Images of styles (N, layers, size) at the levels of these places."""
        features, images, wanted = self.constant.repeat(styles.shape[0], 1, 1, 1), None, []
        for index, level in enumerate(self.levels[: places[-1] + 1]):
            features = self._block(level, features, styles, index, noise)
            if self.connections == "skip" or index in places:
                shown = self.to_image[level.name](features, styles[:, 2 * index + 1])
                images = self._joined(images, shown)
            if index in places:
                wanted.append(images)
        return wanted

    def _joined(self, images: Tensor | None, shown: Tensor) -> Tensor:
        return shown if images is None or self.connections != "skip" else self.resampler.up(images) + shown

    def _block(self, level: Level, features: Tensor, styles: Tensor, index: int, noise: NoiseName) -> Tensor:
        """The level's convolutions; the first level has one, which gets the first style."""
        noisy, entering = self.gets_noise(index, noise), features
        block = self.blocks[level.name]
        for place, convolution in enumerate(block, start=max(0, 2 * index - 1)):  # type: ignore[arg-type]
            features = convolution(features, styles[:, place], noisy)
        if level.name in self.shortcuts:
            features = features * HALF + self.shortcuts[level.name](entering)
        return features
