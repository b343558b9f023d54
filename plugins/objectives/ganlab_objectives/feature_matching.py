"""Feature matching."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab.contracts import Views
from ganlab.distributed import shared_mean
from ganlab.errors import UserError


class FeatureMatching:
    """Fakes should have the mean features of reals (Salimans et al., 2016).

    |mean f(x) - mean f(G(z))|^2, where f is what the discriminator's last layer sees, summed over features (and
    pixels). The means are those of the whole batch, or of a part of it under gradient accumulation.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_features", "fake_features"})

    def penalty(self, views: Views) -> Tensor:
        """Squared distance of the mean features."""
        if not views.fake_features:
            raise UserError(
                "'feature_matching' needs a discriminator that returns its features beside its logits (ganlab.Scores), "
                "which this one does not: take another discriminator, or leave the regularizer out"
            )
        difference = shared_mean(views.fake_features[-1]) - shared_mean(views.real_features[-1])
        return difference.square().sum()
