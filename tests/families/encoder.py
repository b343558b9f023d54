"""An encoder plays with the generator (ALI: Dumoulin et al., 2017; BiGAN: Donahue et al., 2017).

The discriminator judges pairs of an image and its latents. Those of a fake are what it was made of, those of a real
are what the encoder makes of it; both stand in `inputs`, so that all passes of the game find them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganlab import Batch, Fakes, Scores, TwoPlayerGAN, Views
from ganlab.contracts import Discriminator, Generator
from tests.families.parts import perceptron


class EncoderGAN(TwoPlayerGAN):
    """Images and latents, in both directions.

    Args:
        generator: latents to images.
        discriminator: images and latents to logits.
        dimensions: numbers in one example.
    """

    averaged: ClassVar[tuple[str, ...]] = ("generator", "encoder")
    example: ClassVar[dict] = {"generator": "small", "discriminator": "pairs", "loss": "softplus"}

    def __init__(self, generator: Generator, discriminator: Discriminator, dimensions: int, **options: Any) -> None:
        super().__init__(generator, discriminator, **options)
        self.encoder = nn.Sequential(nn.Flatten(), perceptron(dimensions, generator.latent_size))

    def players(self) -> dict[str, nn.Module]:
        """The encoder is trained with the generator."""
        return {"discriminator": self.discriminator, "generator": nn.ModuleList([self.generator, self.encoder])}

    def discriminator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        return super().discriminator_terms(self.with_codes(batch))

    def generator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        return super().generator_terms(self.with_codes(batch))

    def with_codes(self, batch: Batch) -> Batch:
        """The reals with what the encoder makes of them."""
        return replace(batch, inputs={**batch.inputs, "code": self.encoder(batch.images)})

    def fakes(self, batch: Batch) -> Fakes:
        labels = self.labels_of_fakes(batch)

        def make(latents: Tensor) -> Fakes:
            images = self.generate(latents, labels, batch.random, batch.inputs)
            return Fakes(images=images, latents=latents, labels=labels, inputs={**batch.inputs, "code": latents})

        return self.wrapped(make, self.draw_latents(batch.random), batch)

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        return self.discriminator(images, inputs["code"], labels)

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """What the encoder wants: that a real with its code looks like a fake."""
        return {"encoder": self.loss.generator(None, -views.real_logits)} if player == "generator" else {}

    def reconstruct(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images through the averaged encoder and the averaged generator."""
        return self.network("generator")(self.network("encoder")(images), labels)


class PairDiscriminator(nn.Module):
    """Images with latents to logits.

    Args:
        shape: shape of one example.
        latent_size: numbers in a latent vector.
    """

    def __init__(self, shape: tuple[int, ...], latent_size: int = 4) -> None:
        super().__init__()
        self.layers = perceptron(prod(shape) + latent_size, 1)

    def forward(self, images: Tensor, latents: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
        return self.layers(torch.cat([images.flatten(1), latents], dim=1)).flatten()
