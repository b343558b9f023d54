"""Hinge loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import relu


class Hinge:
    """The discriminator wants reals above 1 and fakes below -1; the generator wants high logits (Lim and Ye, 2017)."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Distance to the margins."""
        return relu(1 - real_logits).mean() + relu(1 + fake_logits).mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        """Minus the mean logit: no margin on this side."""
        return -fake_logits.mean()
