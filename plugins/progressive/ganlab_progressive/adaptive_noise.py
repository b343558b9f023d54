"""Noise that keeps a least squares game from escalating."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab.distributed import mean_over_ranks


class AdaptiveNoise(nn.Module):
    """Multiplies each channel of each image by 1 + strength * sqrt(channels) * N(0, 1), in training.

    The strength is `coefficient` * max(average - 0.5, 0)^2, where the average follows the discriminator's opinion of
    fakes, clipped to [0, 1]: there is noise only while fakes pass for reals (Karras et al., 2018, with least squares).
    Draws come from the generator that the platform seeds for each step and rank.
    """

    average: Tensor

    def __init__(self, coefficient: float) -> None:
        super().__init__()
        self.coefficient = coefficient
        self.register_buffer("average", torch.zeros(()))

    def observe(self, fake_logits: Tensor) -> None:
        """Take the mean logit of a batch of fakes, over all ranks, into the average, with a tenth of the weight.

        A collective.
        """
        mean = mean_over_ranks(fake_logits.detach().mean())
        self.average.lerp_(mean.clamp(0, 1).to(self.average), 0.1)

    @property
    def strength(self) -> Tensor:
        """Deviation of the noise for one channel."""
        return self.coefficient * (self.average - 0.5).clamp(min=0).square()

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, C, H, W) with their channels scaled at random; as they are in evaluation."""
        if not self.training:
            return features
        count, channels = features.shape[:2]
        noise = torch.randn(count, channels, 1, 1, device=features.device, dtype=features.dtype)
        factors: Tensor = 1 + (self.strength * channels**0.5).to(features.dtype) * noise
        return features * factors
