"""The game of growing networks, with an auxiliary classifier where there are labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganlab.contracts import Batch, Scores, Views
from ganlab.games.growing import GrowingGAN
from ganlab.schedules import Scheduled
from ganlab.training.module import Terms


class ProgressiveGAN(GrowingGAN):
    """Networks that grow from 4x4 images on (Karras et al., 2018).

    Args:
        classification: weight of the auxiliary classifier's cross-entropy in both players' terms, where the
            discriminator has such a classifier (Odena et al., 2017): on reals and fakes for the discriminator.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "progressive", "latent_size": 8, "fmap_base": 32, "fmap_max": 8},
        "discriminator": {"name": "progressive", "fmap_base": 32, "fmap_max": 8, "minibatch": "none"},
        "loss": "wgan_gp",
        "fade_kimg": 0.024,
        "stabilise_kimg": 0.024,
        "learning_rates": {16: 2e-3},
        "batch_sizes": {16: 4},
    }

    def __init__(self, classification: Annotated[Scheduled, Ge(0)] = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.classification = classification

    def more_terms(self, player: str, batch: Batch, views: Views) -> Terms:
        """Tell the classes of reals and fakes (the discriminator), or make fakes of their class (the generator)."""
        judged = [(views.fake_scores, views.fake_labels)]
        if player == "discriminator":
            judged = [(views.real_scores, views.labels), *judged]
            self._note_fakes(views.fake_logits)
        if "classes" not in views.fake_heads:
            return {}
        entropies = [_cross_entropy(scores, labels) for scores, labels in judged]
        return {"classification": self.classification * torch.stack(entropies).sum()}

    def _note_fakes(self, fake_logits: Tensor) -> None:
        noise = getattr(self.discriminator, "noise", None)
        if noise is not None:
            noise.observe(fake_logits)


def _cross_entropy(scores: Scores, labels: Tensor | None) -> Tensor:
    assert labels is not None, "a discriminator that classifies is for data with labels"
    return cross_entropy(scores.heads["classes"], labels)
