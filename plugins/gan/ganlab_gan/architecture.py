"""The original game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from torch import Tensor

from ganlab import Scores
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness


class GAN(TwoPlayerGAN):
    """The plain two-player game with a choice of the latents' distribution (Goodfellow et al., 2014).

    Networks that name a `condition` get the data's inputs as well, as in the conditional GAN (Mirza and Osindero,
    2014): samples are then made for those of held-out examples.

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

    def run_generator(
        self, generator: Any, latents: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]
    ) -> Tensor:
        """Examples for latents, labels and the condition, if there is one."""
        if getattr(generator, "condition", None) is None:
            return super().run_generator(generator, latents, labels, inputs)
        examples: Tensor = generator(latents, labels, inputs)
        return examples

    def run_discriminator(self, images: Tensor, labels: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor | Scores:
        """What is thought of examples, with their condition, if there is one."""
        if getattr(self.discriminator, "condition", None) is None:
            return super().run_discriminator(images, labels, inputs)
        return self.discriminator(images, labels, inputs)
