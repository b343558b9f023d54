"""The original game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor

from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness


class GAN(TwoPlayerGAN):
    """The plain two-player game with a choice of the latents' distribution (Goodfellow et al., 2014).

    Args:
        latents: `normal`, or `uniform` in [-1, 1] as in the paper's experiments.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "mlp", "hidden": [8]},
        "discriminator": {"name": "mlp", "hidden": [8]},
        "loss": "non_saturating",
    }

    def __init__(self, *players: Any, latents: Literal["normal", "uniform"] = "normal", **options: Any) -> None:
        super().__init__(*players, **options)
        self.latents = latents

    def draw_latents(self, random: Randomness) -> Tensor:
        """Latents (N, latent_size)."""
        if self.latents == "normal":
            return super().draw_latents(random)
        return random.uniform("latents", self.generator.latent_size) * 2 - 1
