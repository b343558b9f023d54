"""Networks and a loss that the games beside this file share, as small as they can be."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from ganlab import Scores


def perceptron(inputs: int, outputs: int, width: int = 16) -> nn.Sequential:
    """One hidden layer."""
    return nn.Sequential(nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, outputs))


class SmallGenerator(nn.Module):
    """Latents and labels to examples in [-1, 1].

    Args:
        shape: shape of one example.
        classes: of the data; 0 without labels.
        latent_size: numbers in a latent vector.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, latent_size: int = 4) -> None:
        super().__init__()
        self.shape, self.classes, self.latent_size = shape, classes, latent_size
        self.layers = perceptron(latent_size + classes, prod(shape))

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is not None:
            latents = torch.cat([latents, one_hot(labels, self.classes).to(latents)], dim=1)
        return self.layers(latents).tanh().view(-1, *self.shape)


class SmallDiscriminator(nn.Module):
    """Examples to logits, of a class where there are labels (projection: Miyato and Koyama, 2018).

    Args:
        shape: shape of one example.
        classes: of the data; 0 without labels.
        width: features of its trunk.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, width: int = 16) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(prod(shape), width), nn.LeakyReLU(0.2))
        self.last = nn.Linear(width, 1)
        self.classes = nn.Embedding(classes, width) if classes else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        features = self.trunk(images)
        logits = self.last(features).flatten()
        if labels is not None:
            logits = logits + (self.classes(labels) * features).sum(1)
        return Scores(logits=logits, features=[features])


class Softplus:
    """The non-saturating loss (Goodfellow et al., 2014)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return softplus(-real_logits).mean() + softplus(fake_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return softplus(-fake_logits).mean()
