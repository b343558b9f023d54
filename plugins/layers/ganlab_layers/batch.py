"""Batch norm of activations."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganlab.nn import Normalizer


class BatchNorm(_BatchNorm):
    """Torch's batch norm for (N, C) as well as (N, C, ...)."""

    def _check_input_dim(self, images: Tensor) -> None:
        assert images.dim() >= 2, f"batch norm takes (N, C, ...), not {tuple(images.shape)}"


class ConditionalBatchNorm(nn.Module):
    """Batch norm whose gain and bias are linear in a vector (N, condition); the gain is around 1."""

    def __init__(self, channels: int, condition: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.norm = BatchNorm(channels, eps, momentum, affine=False)
        self.gain = nn.Linear(condition, channels, bias=False)
        self.bias = nn.Linear(condition, channels, bias=False)

    def forward(self, images: Tensor, vector: Tensor) -> Tensor:
        """Normalized `images`, modulated by `vector`."""
        shape = (*images.shape[:2], *[1] * (images.dim() - 2))
        gain: Tensor = 1 + self.gain(vector)
        bias: Tensor = self.bias(vector)
        normalized: Tensor = self.norm(images)
        return normalized * gain.view(shape) + bias.view(shape)


class BatchNormalizer(Normalizer):
    """Mean 0 and variance 1 for each channel over the batch; running averages in eval mode (Ioffe and Szegedy, 2015).

    The statistics are those of one pass on one device. Penalties on the discriminator's gradient assume that images
    do not see each other: leave it out of a discriminator with one.

    Args:
        momentum: weight of the new batch in the running averages.
        eps: added to the variance.
    """

    centers: ClassVar[bool] = True

    def __init__(self, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.momentum = momentum
        self.eps = eps

    def activation(self, channels: int, condition: int | None = None) -> nn.Module:
        """Batch norm with learned gain and bias, or with both made from the conditioning vector."""
        if condition is None:
            return BatchNorm(channels, self.eps, self.momentum)
        return ConditionalBatchNorm(channels, condition, self.eps, self.momentum)
