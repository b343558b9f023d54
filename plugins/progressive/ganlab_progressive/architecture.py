"""The game of growing networks, with an auxiliary classifier where there are labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganlab.contracts import Batch
from ganlab.games.growing import GrowingGAN
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled


class ProgressiveGAN(GrowingGAN):
    """Networks that grow from 4x4 images on (Karras et al., 2018).

    Args:
        resolution: side of the data's images.
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

    def __init__(self, resolution: int, classification: Annotated[Scheduled, Ge(0)] = 1.0, **options: Any) -> None:
        super().__init__(resolution=resolution, **options)
        self.classification = classification
        self._scores: dict[int | str, Tensor] = {}

    def discriminator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Tell reals from fakes, and the classes of both."""
        terms, scores = super().discriminator_terms(batch), self._taken_scores()
        noise = getattr(self.discriminator, "noise", None)
        if noise is not None:
            noise.observe(_logits(scores["fake"]))
        return {**terms, **self._classification_term(batch, scores["real"], scores["fake"])}

    def generator_terms(self, batch: Batch) -> dict[str, Tensor]:
        """Make fakes that are taken for real, and for their class."""
        terms = super().generator_terms(batch)
        return {**terms, **self._classification_term(batch, self._taken_scores()["fake"])}

    def discriminate(self, images: Tensor, labels: Tensor | None, random: Randomness) -> Tensor:
        """Logits (N,); all scores are kept for the other terms, by what the images are: `real` or `fake`."""
        scores = super().discriminate(images, labels, random)
        self._scores[random.key[-1]] = scores
        return _logits(scores)

    def _taken_scores(self) -> dict[int | str, Tensor]:
        scores, self._scores = self._scores, {}  # so that no graph outlives its step
        return scores

    def _classification_term(self, batch: Batch, *scores: Tensor) -> dict[str, Tensor]:
        if scores[0].dim() == 1:
            return {}
        assert batch.labels is not None, "a discriminator that classifies is for data with labels"
        entropies = torch.stack([cross_entropy(some[:, 1:], batch.labels) for some in scores])
        return {"classification": self.classification * entropies.sum()}


def _logits(scores: Tensor) -> Tensor:
    return scores if scores.dim() == 1 else scores[:, 0]
