"""Normalization that a vector modulates."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn


class Conditional(nn.Module):
    """A normalization without gain and bias of its own, which are linear in a vector (N, condition) instead.

    The gain is 1 plus the linear map. `weight` is applied to both linear layers, such as to normalize their weights.
    """

    def __init__(
        self,
        norm: nn.Module,
        channels: int,
        condition: int,
        weight: Callable[[nn.Module], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.norm = norm
        gain, bias = (nn.Linear(condition, channels, bias=False) for _ in range(2))
        self.gain = weight(gain) if weight else gain
        self.bias = weight(bias) if weight else bias

    def forward(self, images: Tensor, vector: Tensor) -> Tensor:
        """Normalized `images` (N, channels, ...), modulated by `vector`."""
        shape = (*images.shape[:2], *[1] * (images.dim() - 2))
        gain: Tensor = 1 + self.gain(vector)
        bias: Tensor = self.bias(vector)
        normalized: Tensor = self.norm(images)
        return normalized * gain.view(shape) + bias.view(shape)
