"""Tiny networks, data and settings for tests that need no installed plugin."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from ganlab.contracts import DataFacts, PlayerOptimizer, WeightedRegularizer
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness
from ganlab.training.clock import Clock
from ganlab.training.guard import Guard
from ganlab.training.optimizers import adam
from ganlab.training.settings import TrainingSettings


class TinyGenerator(nn.Module):
    latent_size = 3

    def __init__(self, shape: tuple[int, ...] = (1, 4, 4), batch_norm: bool = False) -> None:
        super().__init__()
        self.shape = shape
        size = int(torch.Size(shape).numel())
        self.net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8) if batch_norm else nn.Identity(), nn.Tanh())
        self.out = nn.Linear(8, size)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.out(self.net(latents)).tanh().view(-1, *self.shape)


class LabelledGenerator(TinyGenerator):
    """The same for one of two classes, whose embedding is added to the latents; it needs labels."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(2, 3)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return super().forward(latents + self.embed(labels))


class TinyDiscriminator(nn.Module):
    def __init__(self, shape: tuple[int, ...] = (1, 4, 4)) -> None:
        super().__init__()
        size = int(torch.Size(shape).numel())
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(size, 8), nn.Tanh(), nn.Linear(8, 1))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.net(images).flatten()


class Logistic:
    needs_real_logits = False

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return nn.functional.softplus(-real_logits).mean() + nn.functional.softplus(fake_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return nn.functional.softplus(-fake_logits).mean()


class TinyData:
    """Eight-bit noise with two classes."""

    def __init__(self, size: int = 50, shape: tuple[int, ...] = (1, 4, 4)) -> None:
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randint(256, (size, *shape), generator=generator, dtype=torch.uint8)
        self.facts = DataFacts(shape, size, "tiny", class_names=("a", "b"))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"images": self.images[index], "label": index % 2}


def tiny_settings(**changes: Any) -> TrainingSettings:
    optimizer = PlayerOptimizer(partial(adam, lr=1e-2, betas=(0.0, 0.99)))
    values = {
        "facts": TinyData().facts,
        "optimizers": {"discriminator": optimizer, "generator": optimizer},
        "batch_size": 8,
        "guard": Guard(),
    }
    return TrainingSettings(**(values | changes))


def tiny_gan(
    settings: TrainingSettings | None = None,
    regularizers: Sequence[WeightedRegularizer] = (),
    batch_norm: bool = False,
    **options: Any,
) -> TwoPlayerGAN:
    torch.manual_seed(0)
    module = TwoPlayerGAN(
        TinyGenerator(batch_norm=batch_norm), TinyDiscriminator(), Logistic(), regularizers, **options
    )
    module.prepare(settings or tiny_settings())
    return module


class SampledModule(nn.Module):
    """Stands for a module that is only sampled; a subclass has facts and `sample`."""

    device = torch.device("cpu")
    sampled_from: tuple[str, ...] = ()

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.ready_for: object = None

    def before_sampling(self, random: Randomness, **options: Any) -> None:
        pass
