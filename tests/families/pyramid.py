"""Pairs of networks for ever larger images of one picture, trained one after the other (SinGAN: Shaham et al., 2019).

`Factory[...]` builds a node of the spec several times. What is trained follows from the rounds that were played, so
that resuming needs no state of its own but what was measured: how much noise the images of a size get.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, interpolate, leaky_relu, mse_loss

from ganlab import Batch, Factory, GANModule, Latents, Randomness
from ganlab.contracts import Discriminator, Generator, Loss
from ganlab.views import as_scores


class PyramidGAN(GANModule):
    """A generator and a discriminator for each size; those of smaller sizes stay as they are.

    Args:
        generator: noise and an image of this size to an image; built for each size.
        discriminator: images to logits; built for each size.
        loss: of each pair.
        channels: of an image.
        resolution: side of the largest images.
        sizes: how many there are, each half of the next.
        rounds: of the training of each size.
        reconstruction: weight of the mean squared difference between the real image and that of the fixed noise.
        discriminator_steps: updates of the discriminator in a round.
    """

    example: ClassVar[dict] = {"generator": "refiner", "discriminator": "local", "loss": "softplus", "sizes": 2}

    def __init__(
        self,
        generator: Factory[Generator],
        discriminator: Factory[Discriminator],
        loss: Loss,
        channels: int,
        resolution: int,
        sizes: Annotated[int, Ge(1)] = 3,
        rounds: Annotated[int, Ge(1)] = 2,
        reconstruction: float = 10.0,
        discriminator_steps: Annotated[int, Ge(1)] = 1,
    ) -> None:
        super().__init__()
        self.discriminator_steps = discriminator_steps
        self.sides = [resolution // 2**level for level in reversed(range(sizes))]
        self.generator = nn.ModuleList(generator() for _ in self.sides)
        self.discriminator = nn.ModuleList(discriminator() for _ in self.sides)
        self.loss, self.channels, self.rounds, self.reconstruction = loss, channels, rounds, reconstruction
        self.register_buffer("fixed", torch.randn(1, channels, self.sides[0], self.sides[0]))
        self.register_buffer("strengths", torch.ones(sizes))

    @property
    def level(self) -> int:
        """The size that is trained now."""
        return min(self.clock.rounds // self.rounds, len(self.sides) - 1)

    def play(self, batches: Sequence[Batch]) -> None:
        """A round of the networks of one size; before its first, how much noise they get is measured."""
        if self.level and self.clock.rounds == self.level * self.rounds:
            with torch.no_grad():
                reached = self.image(self.generator, self.fixed_noise(1), self.level - 1)
                missing = mse_loss(self.enlarged(reached, self.level), self.real(batches[0])[:1]).sqrt()
            self.strengths[self.level] = missing
        super().play(batches)

    def discriminator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        judge = self.discriminator[self.level]
        with torch.no_grad():
            fakes = self.image(self.generator, self.noise(self.draw(batch.random).values), self.level)
        reals, fakes = as_scores(judge(self.real(batch))), as_scores(judge(fakes))
        return {"loss": self.loss.discriminator(reals.logits, fakes.logits)}

    def generator_terms(self, batch: Batch) -> Mapping[str, Tensor]:
        fakes = self.image(self.generator, self.noise(self.draw(batch.random).values), self.level)
        again = self.image(self.generator, self.fixed_noise(len(batch)), self.level)
        scores = as_scores(self.discriminator[self.level](fakes))
        reconstruction = self.reconstruction * mse_loss(again, self.real(batch))
        return {"loss": self.loss.generator(None, scores.logits), "reconstruction": reconstruction}

    def draw(
        self, random: Randomness, labels: Tensor | None = None, inputs: Mapping[str, Tensor] | None = None
    ) -> Latents:
        """The noise of all sizes in one vector."""
        size = sum(self.channels * side**2 for side in self.sides)
        return Latents(values=random.normal("noise", size), labels=labels, random=random)

    def render(self, latents: Latents, *, averaged: bool = True) -> Tensor:
        """Images of the size that is trained now, enlarged to the data's."""
        image = self.image(self.network("generator", averaged), self.noise(latents.values), self.level)
        return self.enlarged(image, len(self.sides) - 1)

    def image(self, generators: nn.ModuleList, noise: Iterator[Tensor], level: int) -> Tensor:
        """Images of a level; gradients reach its own generator only."""
        image, training = None, torch.is_grad_enabled()
        for below in range(level + 1):
            drawn = next(noise)
            image = torch.zeros_like(drawn) if image is None else self.enlarged(image, below)
            with torch.set_grad_enabled(training and below == level):
                image = generators[below](self.strengths[below] * drawn, image)
        return image

    def noise(self, values: Tensor) -> Iterator[Tensor]:
        """What stands in a vector for each level."""
        for part in values.split([self.channels * side**2 for side in self.sides], dim=1):
            side = int((part.shape[1] // self.channels) ** 0.5)
            yield part.view(-1, self.channels, side, side)

    def fixed_noise(self, count: int) -> Iterator[Tensor]:
        """That of the image that is reconstructed: none above the first level."""
        yield self.fixed.expand(count, -1, -1, -1)
        for side in self.sides[1:]:
            yield self.fixed.new_zeros(count, self.channels, side, side)

    def real(self, batch: Batch) -> Tensor:
        return adaptive_avg_pool2d(batch.images, self.sides[self.level])

    def enlarged(self, images: Tensor, level: int) -> Tensor:
        return interpolate(images, size=(self.sides[level],) * 2, mode="bilinear")


class Refiner(nn.Module):
    """Noise and an image to an image of the same size.

    Args:
        channels: of an image.
        width: channels inside.
    """

    def __init__(self, channels: int, width: int = 6) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, channels, 3, padding=1)

    def forward(self, noise: Tensor, image: Tensor) -> Tensor:
        return (image + self.last(leaky_relu(self.first(image + noise), 0.2))).tanh()


class Local(nn.Module):
    """Images to logits (N, H, W), one for each place.

    Args:
        channels: of an image.
        width: channels inside.
    """

    def __init__(self, channels: int, width: int = 6) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(leaky_relu(self.first(images), 0.2)).squeeze(1)
