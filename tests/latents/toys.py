"""Small generators for the tools, with styles and without, in float64 where a test compares with a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.nn import class_shares
from ganlab.randomness import layer_normal
from ganlab.views import Latents
from tests.tiny import Logistic, TinyData, TinyDiscriminator, tiny_settings

SHAPE = (1, 8, 8)
LAYERS = 6


class PlainGenerator(nn.Module):
    """Latents and labels to images; it takes shares of classes."""

    latent_size = 4
    blends_labels = True

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.net = nn.Sequential(nn.Linear(4 + classes, 32), nn.Tanh(), nn.Linear(32, 64), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.classes:
            latents = torch.cat([latents, class_shares(labels, self.classes).to(latents)], dim=1)
        return self.net(latents).view(-1, *SHAPE)


class StyledNetwork(nn.Module):
    """Latents to styles by a dense layer, styles to images by a sum over layers, with noise."""

    latent_size = 4

    def __init__(self, size: int = 6) -> None:
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(4, size), nn.Tanh())
        self.affine = nn.ModuleList(nn.Linear(size, 64, bias=False) for _ in range(LAYERS))
        self.register_buffer("mean", torch.zeros(size))

    def synthesise(self, styles: Tensor, noise: str) -> Tensor:
        images = torch.stack([layer(styles[:, i]) for i, layer in enumerate(self.affine)]).mean(0).view(-1, *SHAPE)
        drawn = layer_normal(images, 1, 8, 8)
        return images + (0.1 * drawn if noise == "all" else 0)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.synthesise(self.mapping(latents)[:, None].expand(-1, LAYERS, -1), "all")


class StyledGAN(TwoPlayerGAN):
    def map(self, latents: Latents, *, averaged: bool = True, psi: float = 1.0) -> Tensor:
        """Styles."""
        network = self.network("generator", averaged)
        vectors = network.mapping(latents.values)
        return (network.mean + psi * (vectors - network.mean))[:, None].expand(-1, LAYERS, -1)

    def synthesise(self, styles: Tensor, *, averaged: bool = True, noise: Literal["all", "none"] = "all") -> Tensor:
        """Images."""
        return self.network("generator", averaged).synthesise(styles, noise)

    def render(
        self, latents: Latents, *, averaged: bool = True, psi: float = 1.0, noise: Literal["all", "none"] = "all"
    ) -> Tensor:
        """Images of latents."""
        return self.synthesise(self.map(latents, averaged=averaged, psi=psi), averaged=averaged, noise=noise)

    def style_layers(self) -> int:
        return LAYERS

    def mean_style(self, *, averaged: bool = True) -> Tensor:
        return self.network("generator", averaged).mean

    def style_weights(self, *, averaged: bool = True) -> Sequence[Tensor]:
        return [layer.weight for layer in self.network("generator", averaged).affine]


def trained(game: type[TwoPlayerGAN], network: nn.Module, classes: int = 0, **changes: Any) -> TrainedGenerator:
    """A generator as it is after loading; nothing was trained."""
    facts = replace(TinyData(shape=SHAPE).facts, class_names=tuple("abc"[:classes]), **changes)
    module = game(network, TinyDiscriminator(SHAPE), Logistic())
    module.prepare(tiny_settings(facts=facts))
    return TrainedGenerator(module.eval(), "toy")


def plain(classes: int = 0, **changes: Any) -> TrainedGenerator:
    torch.manual_seed(0)
    return trained(TwoPlayerGAN, PlainGenerator(classes), classes, **changes)


def styled() -> TrainedGenerator:
    torch.manual_seed(0)
    return trained(StyledGAN, StyledNetwork())
