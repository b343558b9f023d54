"""The game of growing networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ganlab.contracts import Batch, Views
from ganlab.games.growing import GrowingGAN
from ganlab.training.module import Terms


class ProgressiveGAN(GrowingGAN):
    """Networks that grow from 4x4 images on (Karras et al., 2018)."""

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "progressive", "latent_size": 8, "fmap_base": 32, "fmap_max": 8},
        "discriminator": {"name": "progressive", "fmap_base": 32, "fmap_max": 8, "minibatch": "none"},
        "loss": "wgan_gp",
        "fade_kimg": 0.024,
        "stabilise_kimg": 0.024,
        "learning_rates": {16: 2e-3},
        "batch_sizes": {16: 4},
    }

    def more_terms(self, player: str, batch: Batch, views: Views) -> Terms:
        """None; the discriminator's adaptive noise takes in what it thinks of fakes."""
        noise = getattr(self.discriminator, "noise", None)
        if player == "discriminator" and noise is not None:
            noise.observe(views.fake_logits)
        return {}
