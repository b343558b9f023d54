"""Feature matching."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from ganlab.contracts import Views
from ganlab.distributed import shared_mean


class FeatureMatching:
    """Fakes should have the mean features of reals (Salimans et al., 2016).

    |mean f(x) - mean f(G(z))|^2, where f is what the discriminator's last layer sees, summed over features (and
    pixels). The means are those of the whole batch, or of a part of it under gradient accumulation.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_images", "fake_images", "features"})

    def penalty(self, views: Views) -> Tensor:
        """Squared distance of the mean features."""
        with torch.no_grad():
            real_features = shared_mean(views.features(views.real_images))
        difference: Tensor = shared_mean(views.features(views.fake_images)) - real_features
        return difference.square().sum()
