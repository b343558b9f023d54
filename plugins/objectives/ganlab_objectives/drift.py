"""A leash for the critic's offset."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab.contracts import Views


class Drift:
    """Mean squared logit of the reals: keeps a Wasserstein critic near zero (Karras et al., 2018)."""

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_logits"})

    def penalty(self, views: Views) -> Tensor:
        """mean_n D(x_n)^2 over the reals."""
        real_logits: Tensor = views.real_logits
        return real_logits.square().mean()
