"""Noise that keeps a least squares game from escalating."""

from __future__ import annotations

from torch import Tensor, nn

from ganlab.nn import RunningMean
from ganlab.randomness import layer_normal


class AdaptiveNoise(nn.Module):
    """Multiplies each channel of each image by 1 + strength * sqrt(channels) * N(0, 1), in training.

    The strength is `coefficient` * max(average - 0.5, 0)^2, where the average follows the discriminator's opinion of
    fakes, clipped to [0, 1]: there is noise only while fakes pass for reals (Karras et al., 2018, with least squares).
    """

    def __init__(self, coefficient: float) -> None:
        super().__init__()
        self.coefficient = coefficient
        self.average = RunningMean(0.9, limits=(0.0, 1.0))

    def observe(self, fake_logits: Tensor) -> None:
        """Take the mean logit of a batch of fakes into the average, with a tenth of the weight."""
        self.average.observe(fake_logits)

    @property
    def strength(self) -> Tensor:
        """Deviation of the noise for one channel."""
        return self.coefficient * (self.average.current() - 0.5).clamp(min=0).square()

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, C, H, W) with their channels scaled at random; as they are in evaluation."""
        if not self.training:
            return features
        channels = features.shape[1]
        noise = layer_normal(features, channels, 1, 1)
        factors: Tensor = 1 + (self.strength * channels**0.5).to(features.dtype) * noise
        return features * factors
