"""Feature matching of pairs."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from ganlab import UserError, Views


class LayerMatching:
    """Fakes should have the features of their targets, in all layers of the discriminator (Wang et al., 2018).

    The mean absolute difference in each layer, summed over layers, and the mean over the scales that the discriminator
    judges. It compares a fake with the real beside it: for games whose fakes are made for the reals, from pairs.
    `feature_matching` compares means over a batch instead.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_scores", "fake_scores"})

    def penalty(self, views: Views) -> Tensor:
        """The sum of the mean absolute differences."""
        fakes, reals = views.fake_scores, views.real_scores
        if not fakes.features:
            raise UserError(
                "'layer_matching' needs a discriminator that returns its features beside its logits (ganlab.Scores), "
                "which this one does not: take another discriminator, such as 'multiscale', or leave it out"
            )
        pairs = zip(fakes.features, reals.features, strict=True)
        differences = [(fake - real.detach()).abs().mean() for fake, real in pairs]
        return torch.stack(differences).sum() / len(fakes.scales)
