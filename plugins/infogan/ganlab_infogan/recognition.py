"""The recognition network: a head on the discriminator's last features."""

from __future__ import annotations

from dataclasses import replace

import torch
from ganlab_layers.batch import BatchNorm
from torch import Tensor, nn

from ganlab import Scores, UserError
from ganlab.contracts import Discriminator
from ganlab.nn import LeakyReLU
from ganlab.views import as_scores

HEAD = "codes"
"""Name of the head among those of `Scores`."""


class RecognisingDiscriminator(nn.Module):
    """A discriminator and, on its last features, a head that tells the codes: one hidden layer, then a linear one.

    Args:
        trunk: any discriminator that returns its features.
        shape: of one example.
        classes: of the data.
        outputs: numbers that the head returns.
        units: number of units of the hidden layer.
        slope: Slope below zero of the leaky ReLU behind it.
    """

    def __init__(
        self, trunk: Discriminator, shape: tuple[int, ...], classes: int, outputs: int, units: int, slope: float
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(self._features(shape, classes), units),
            BatchNorm(units),
            LeakyReLU(slope),
            nn.Linear(units, outputs),
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """The trunk's scores, and the head's answer among them."""
        scores = as_scores(self.trunk(images, labels))
        return replace(scores, heads={**scores.heads, HEAD: self.head(scores.features[-1])})

    @torch.no_grad()
    def _features(self, shape: tuple[int, ...], classes: int) -> int:
        """How many numbers the last features have, from a pass of one example of zeros."""
        labels = torch.zeros(1, dtype=torch.long) if classes else None
        self.trunk.eval()  # type: ignore[attr-defined]
        features = as_scores(self.trunk(torch.zeros(1, *shape), labels)).features
        self.trunk.train()  # type: ignore[attr-defined]
        if not features:
            raise UserError(
                f"{type(self.trunk).__name__} returns logits alone, and the recognition head needs its features: take "
                "a discriminator that returns `Scores` with features, such as 'infogan', 'dcgan' or 'mlp'"
            )
        return features[-1].numel()
