"""Styles and noise for each layer (StyleGAN 2: Karras et al., 2020), small.

`fakes` returns the styles beside the images, and the call `synthesise` that makes images of styles: as fields of a
subclass of `Fakes` both are views, which `path_length` looks for. The mean of the styles is a `RunningMean`, so that it
is equal on all ranks, and part of the generator, so that its average has it too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu

from ganlab import Batch, Fakes, Latents, TwoPlayerGAN
from ganlab.nn import RunningMean
from ganlab.randomness import layer_draws, layer_normal
from tests.families.parts import perceptron


@dataclass(kw_only=True)
class StyledFakes(Fakes):
    """Fakes with their styles (N, size), and what makes images of styles and labels with the same noise."""

    styles: Tensor
    synthesise: Callable[..., Tensor]


class StylesGAN(TwoPlayerGAN):
    """The plain game of a generator that has a `mapping`, a `mean` of styles, and a `synthesis`."""

    example: ClassVar[dict] = {"generator": "styles", "discriminator": "small", "loss": "softplus"}

    def fakes(self, batch: Batch) -> StyledFakes:
        labels = self.labels_of_fakes(batch)

        def synthesise(styles: Tensor, labels: Tensor | None = None) -> Tensor:
            with layer_draws(batch.random.scoped("layers")):
                return self.generator.synthesis(styles)

        def make(latents: Tensor) -> StyledFakes:
            styles = self.generator.mapping(latents)
            self.generator.mean.observe(styles)
            images = synthesise(styles)
            return StyledFakes(
                images=images, latents=latents, labels=labels, styles=styles, synthesise=synthesise, inputs=batch.inputs
            )

        return self.wrapped(make, self.draw_latents(batch.random), batch)

    def render(
        self,
        latents: Latents,
        *,
        psi: Annotated[float, Ge(0)] = 1.0,
        noise: Literal["random", "none"] = "random",
        averaged: bool = True,
    ) -> Tensor:
        """Images of latents.

        Args:
            psi: how far styles lie from their mean; below 1 there is less variety.
            noise: of the layers.
        """
        generator = self.network("generator", averaged)
        styles = generator.mean.current().lerp(generator.mapping(latents.values), psi)
        return generator.synthesis(styles, noise == "random")


class StylesGenerator(nn.Module):
    """Latents to styles, styles to images.

    Args:
        channels: of an image.
        resolution: side of an image.
        latent_size: numbers in a latent vector.
        size: numbers in a style.
    """

    def __init__(self, channels: int, resolution: int, latent_size: int = 4, size: int = 6) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.mapping = perceptron(latent_size, size)
        self.mean = RunningMean(0.995, shape=(size,), debias=True)
        self.synthesis = Synthesis(channels, resolution, size)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.synthesis(self.mapping(latents))


class Synthesis(nn.Module):
    """A constant, which layers modulated by a style turn into an image."""

    def __init__(self, channels: int, resolution: int, size: int, width: int = 6) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, width, resolution // 2, resolution // 2))
        self.layers = nn.ModuleList(StyledLayer(width, size) for _ in range(2))
        self.image = nn.Conv2d(width, channels, 1)

    def forward(self, styles: Tensor, noise: bool = True) -> Tensor:
        first, second = self.layers
        features = first(self.start.expand(len(styles), -1, -1, -1), styles, noise)
        features = second(interpolate(features, scale_factor=2), styles, noise)
        return self.image(features).tanh()


class StyledLayer(nn.Module):
    """A convolution of channels that a style scales, with noise behind it."""

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.scales = nn.Linear(size, width)
        self.convolution = nn.Conv2d(width, width, 3, padding=1)
        self.strength = nn.Parameter(torch.full((), 0.1))

    def forward(self, features: Tensor, styles: Tensor, noise: bool) -> Tensor:
        scales = 1 + self.scales(styles)
        features = self.convolution(features * scales[:, :, None, None])
        if noise:
            features = features + self.strength * layer_normal(features, 1, *features.shape[2:])
        return leaky_relu(features, 0.2)
