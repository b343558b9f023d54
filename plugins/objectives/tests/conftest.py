"""A game with labels, of networks so simple that penalties can be computed by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from ganlab_objectives.non_saturating import NonSaturating
from torch import Tensor, nn

from ganlab.contracts import Batch, DataFacts, WeightedRegularizer
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness
from ganlab.testing.examples import example_settings

COUNT, LATENT, CLASSES, SHAPE = 6, 4, 3, (1, 3, 3)
FACTS = DataFacts(SHAPE, 24, "made up", class_names=("a", "b", "c"))


class Generator(nn.Module):
    """G(z, y) = tanh(z A_y)."""

    latent_size = LATENT

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(CLASSES, LATENT, 9))

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        return torch.einsum("nl,nld->nd", latents, self.weight[labels]).tanh().view(-1, *SHAPE)


class Discriminator(nn.Module):
    """D(x, y) = sum tanh(x W_y): neither values nor slopes of two classes are alike."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(CLASSES, 9, 5))

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        return torch.einsum("nd,ndk->nk", images.flatten(1), self.weight[labels]).tanh().sum(1)


@pytest.fixture
def double() -> Iterator[None]:
    """Everything in float64; to be named before the others."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.fixture
def conditional_game() -> Callable[..., TwoPlayerGAN]:
    """Makes the plain game of both networks, with regularizers of weight 1 named after their types."""

    def make(*regularizers: Any, settings: dict[str, Any] | None = None, **options: Any) -> TwoPlayerGAN:
        torch.manual_seed(0)
        terms = [WeightedRegularizer(type(each).__name__, each) for each in regularizers]
        game = TwoPlayerGAN(Generator(), Discriminator(), NonSaturating(), terms, **options)
        game.prepare(example_settings(game, FACTS, **(settings or {})))
        return game

    return make


@pytest.fixture
def labelled_batch() -> Batch:
    """Reals of all classes."""
    random = Randomness(0, count=COUNT)
    return Batch(random.uniform("images", *SHAPE) * 2 - 1, torch.arange(COUNT) % CLASSES, random)
