"""Dropout whose masks are a function of the update and the example."""

from __future__ import annotations

from torch import Tensor, nn

from ganlab.randomness import layer_uniform


class Dropout(nn.Dropout):
    """`torch.nn.Dropout` with masks drawn row by row (see `ganlab.randomness.layer_draws`).

    The number of devices, micro-batches and the batch size of samples then change no mask. With `always`, it drops in
    evaluation as well, as where noise enters a network by dropout alone.
    """

    def __init__(self, p: float = 0.5, always: bool = False) -> None:
        super().__init__(p)
        self.always = always

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, ...), each zero with probability p and else divided by 1 - p."""
        if self.p == 0 or not (self.training or self.always):
            return features
        kept = layer_uniform(features, *features.shape[1:]) >= self.p
        return features * kept / (1 - self.p) if self.p < 1 else features * 0
