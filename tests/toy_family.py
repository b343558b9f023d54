"""A family with one plugin of each kind; `tests.toy` writes it into a distribution of its own as `ganlab_toy`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ganlab.contracts import (
    Augmentation,
    DataFacts,
    Discriminator,
    Generator,
    Loss,
    Normalizer,
    Preset,
    Views,
    WeightedRegularizer,
)
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.schedules import Scheduled


class ToyGAN(TwoPlayerGAN):
    """The plain game."""

    example: ClassVar[dict[str, Any]] = {"generator": "toy", "discriminator": "toy", "loss": "toy"}

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        loss: Loss,
        regularizers: Sequence[WeightedRegularizer] = (),
        augmentation: Augmentation | None = None,
        discriminator_steps: Annotated[int, Ge(1)] = 1,
    ) -> None:
        super().__init__(generator, discriminator, loss, regularizers, augmentation, discriminator_steps)


class ToyGenerator(nn.Module):
    """Latents to examples.

    Args:
        shape: shape of one example.
        latent_size: numbers in a latent vector.
        width: units of the hidden layer.
    """

    def __init__(self, shape: tuple[int, ...], latent_size: int = 4, width: int = 8) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.shape = shape
        self.layers = nn.Sequential(nn.Linear(latent_size, width), nn.Tanh(), nn.Linear(width, prod(shape)), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.layers(latents).view(-1, *self.shape)


class ToyDiscriminator(nn.Module):
    """Examples to logits."""

    def __init__(
        self,
        shape: tuple[int, ...],
        width: int = 8,
        activation: Literal["tanh", "relu"] = "tanh",
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        first = nn.Linear(prod(shape), width)
        self.first = first if normalizer is None else normalizer.weight(first)
        self.activation = torch.tanh if activation == "tanh" else torch.relu
        self.last = nn.Linear(width, 1)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.last(self.activation(self.first(images.flatten(1)))).flatten()


class ToyLoss:
    """Distances to margins; `margin` is how far logits have to be from 0."""

    def __init__(self, margin: Scheduled = 1.0) -> None:
        self.margin = margin

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return torch.relu(self.margin - real_logits).mean() + torch.relu(self.margin + fake_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits.mean()


class ToyPenalty:
    """Mean squared logit of the reals."""

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_logits"})

    def __init__(self, power: float = 2.0) -> None:
        self.power = power

    def penalty(self, views: Views) -> Tensor:
        return views.real_logits.abs().pow(self.power).mean()


class ToyStyledPenalty(ToyPenalty):
    """Needs a view that the toy architecture does not have."""

    requires: ClassVar[frozenset[str]] = frozenset({"real_logits", "toy_styles"})


def toy_preset(strength: Scheduled = 0.5) -> Preset:
    """The toy loss with its penalty.

    Args:
        strength: weight of the penalty.
    """
    return Preset(
        {
            "loss": {"name": "toy", "margin": 2.0},
            "regularizers": [{"name": "ganlab-toy/toy", "weight": strength}],
            "discriminator_steps": 3,
        }
    )


class ToyNormalizer:
    """Leaves everything alone."""

    def weight(self, layer: nn.Module) -> nn.Module:
        return layer

    def activation(self, channels: int, condition: int | None = None) -> nn.Module:
        return nn.Identity()


class ToyData:
    """Noise of two classes.

    Args:
        resolution: side of an image.
        size: number of images.
    """

    def __init__(self, resolution: int = 4, size: int = 32) -> None:
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randint(256, (size, 1, resolution, resolution), generator=generator, dtype=torch.uint8)
        self.facts = DataFacts((1, resolution, resolution), size, f"toy-{resolution}-{size}", class_names=("a", "b"))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {"images": self.images[index], "label": index % 2}


class ToyMetric:
    """Mean of the fakes."""

    def __init__(self, digits: int = 3) -> None:
        self.digits = digits
        self.reset()

    def reset(self) -> None:
        self.fakes: list[Tensor] = []

    def update(self, images: Tensor, real: bool) -> None:
        if not real:
            self.fakes.append(images.float())

    def compute(self) -> dict[str, float]:
        return {"mean": round(float(torch.cat(self.fakes).mean()), self.digits)}
