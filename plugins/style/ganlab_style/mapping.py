"""The mapping network: latents and labels to styles."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganlab.nn import BiasActivation, PixelNorm, bias_activation, class_shares, equalized
from ganlab.nn.autocast import without_autocast


class MappingNetwork(nn.Module):
    """Latents (N, latent_size) and labels (N,) to vectors (N, size), in float32 under autocast too.

    Latents, and the embedding of a label, are divided by their root mean square and joined; `depth` dense layers with
    leaky rectifiers follow, which learn at `lr_multiplier`. Without layers the joined vector is the result. A label
    alone is mapped where `latent_size` is 0.

    Args:
        latent_size: numbers in a latent vector.
        classes: number of classes; 0 for data without labels.
        size: numbers in a vector of the result.
        depth: number of dense layers.
        lr_multiplier: of the dense layers.
        gain_in_weights: the rectifiers' gain of sqrt(2) is in the weights before them, as in StyleGAN, not behind them.
    """

    def __init__(
        self,
        latent_size: int,
        classes: int,
        size: int,
        depth: int,
        lr_multiplier: float,
        gain_in_weights: bool = False,
    ) -> None:
        super().__init__()
        assert latent_size or classes, "there is nothing to map"
        self.classes = classes
        self.normalise = PixelNorm()
        self.embedding = equalized(_unbiased(nn.Linear(classes, size)), gain=1.0) if classes else None
        he = math.sqrt(2)
        inputs = latent_size + (size if classes else 0)
        self.layers = nn.ModuleList()
        for index in range(depth):
            linear = nn.Linear(inputs if index == 0 else size, size, bias=False)
            self.layers.append(equalized(linear, he if gain_in_weights else 1.0, lr_multiplier))
            self.layers.append(ScaledBiasActivation(size, 1.0 if gain_in_weights else he, lr_multiplier))
        self.size = size if depth else inputs

    def forward(self, latents: Tensor | None, labels: Tensor | None = None) -> Tensor:
        """The vectors (N, size)."""
        given = labels if latents is None else latents
        assert given is not None
        with without_autocast(given.device):
            parts = [] if latents is None or not latents.shape[1] else [self.normalise(latents)]
            if self.embedding is not None:
                assert labels is not None, "a conditional network is called with labels"
                weight = next(self.embedding.parameters())
                parts.append(self.normalise(self.embedding(class_shares(labels, self.classes).to(weight.dtype))))
            vectors = torch.cat(parts, dim=1)
            for layer in self.layers:
                vectors = layer(vectors)
        return vectors


class ScaledBiasActivation(BiasActivation):
    """`BiasActivation` whose bias learns at `lr_multiplier`."""

    def __init__(self, channels: int, gain: float, lr_multiplier: float) -> None:
        super().__init__(channels, gain=gain)
        self.lr_multiplier = lr_multiplier

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, channels) after bias, rectifier and gain."""
        return bias_activation(features, self.bias * self.lr_multiplier, self.slope, self.gain, self.clamp)


def _unbiased(layer: nn.Linear) -> nn.Linear:
    nn.init.zeros_(layer.bias)
    return layer
