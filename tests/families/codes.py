"""Latents with a meaning: a category and numbers, which a recognition head finds again (InfoGAN: Chen et al., 2016).

The codes are the last numbers of the latent vector. `fakes` also returns them as they were drawn: a further field of
`Fakes` is a view of its own, for the game's own terms as for a regularizer. The sampling option `code` sets some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from ganlab import Batch, Fakes, Latents, Randomness, Scores, TwoPlayerGAN, UserError, Views
from ganlab.contracts import Discriminator, Generator


@dataclass(kw_only=True)
class CodedFakes(Fakes):
    """Fakes with the category (N,) and the numbers (N, numbers) that they were made of."""

    category: Tensor
    numbers: Tensor


class CodesGAN(TwoPlayerGAN):
    """The plain game, in which images tell the codes that they were made of.

    Args:
        generator: latents, whose last numbers are the codes, to images.
        discriminator: images to logits, with the heads `category` and `numbers`.
        weight: of the term for the codes.
    """

    example: ClassVar[dict] = {
        "generator": {"name": "small", "latent_size": 9},
        "discriminator": "recognition",
        "loss": "softplus",
    }

    def __init__(self, generator: Generator, discriminator: Discriminator, weight: float = 0.5, **options: Any) -> None:
        super().__init__(generator, discriminator, **options)
        self.weight = weight
        self.categories, self.numbers = discriminator.categories, discriminator.numbers
        self.noise = generator.latent_size - self.categories - self.numbers
        if self.noise < 0:
            raise UserError(f"the generator's latent_size is at least {self.categories + self.numbers}, for the codes")

    def draw_latents(self, random: Randomness) -> Tensor:
        noise = random.normal("noise", self.noise)
        category = one_hot(random.integers("category", self.categories), self.categories).to(noise)
        return torch.cat([noise, category, random.uniform("numbers", self.numbers) * 2 - 1], dim=1)

    def fakes(self, batch: Batch) -> CodedFakes:
        latents = self.draw_latents(batch.random)
        _, category, numbers = latents.split([self.noise, self.categories, self.numbers], dim=1)
        made = super().fakes(batch)
        known = {part.name: getattr(made, part.name) for part in fields(made)}
        return CodedFakes(**known, category=category.argmax(1), numbers=numbers)

    def more_terms(self, player: str, batch: Batch, views: Views) -> Mapping[str, Tensor]:
        """Both players are charged for codes that are not found; the discriminator owns the heads."""
        heads = views.fake_heads
        error = cross_entropy(heads["category"], views.category) + mse_loss(heads["numbers"], views.numbers)
        return {"codes": self.weight * error}

    def render(self, latents: Latents, *, code: Mapping[int, float] | None = None, averaged: bool = True) -> Tensor:
        """Images of latents.

        Args:
            code: codes to set, by number: 0 is the category, 1 and above are the numbers.
        """
        noise, category, numbers = latents.values.split([self.noise, self.categories, self.numbers], dim=1)
        category, numbers = category.clone(), numbers.clone()
        for index, value in (code or {}).items():
            if not 0 <= index <= self.numbers or (index == 0 and value not in range(self.categories)):
                raise UserError(
                    f"there is no code {index}={value:g}: code 0 is a category below {self.categories}, "
                    f"codes 1 to {self.numbers} are numbers"
                )
            if index == 0:
                category[:] = torch.eye(self.categories)[int(value)]
            else:
                numbers[:, index - 1] = value
        return super().render(replace(latents, values=torch.cat([noise, category, numbers], 1)), averaged=averaged)


class RecognitionDiscriminator(nn.Module):
    """Images to logits and, from the same features, to the codes.

    Args:
        shape: shape of one example.
        categories: values of the category.
        numbers: how many numbers in [-1, 1] there are.
        width: features of the trunk.
    """

    def __init__(self, shape: tuple[int, ...], categories: int = 3, numbers: int = 2, width: int = 16) -> None:
        super().__init__()
        self.categories, self.numbers = categories, numbers
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), width), nn.LeakyReLU(0.2))
        self.real = nn.Linear(width, 1)
        self.codes = nn.Linear(width, categories + numbers)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        features = self.trunk(images)
        category, numbers = self.codes(features).split([self.categories, self.numbers], dim=1)
        return Scores(logits=self.real(features).flatten(), heads={"category": category, "numbers": numbers})
