"""The original game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from torch import Tensor

from ganlab.contracts import Augmentation, Discriminator, Generator, Loss, WeightedRegularizer
from ganlab.randomness import Randomness
from ganlab.spec.model import Count
from ganlab.training.two_player import TwoPlayerGAN


class GAN(TwoPlayerGAN):
    """The plain two-player game with a choice of the latents' distribution (Goodfellow et al., 2014).

    Args:
        generator: latents to examples.
        discriminator: examples to logits.
        loss: what the players minimise; the paper trains with `non_saturating` and analyses `minimax`.
        regularizers: penalties that join a player's terms.
        augmentation: applied to whatever the discriminator sees.
        discriminator_steps: updates of the discriminator, each on fresh reals, for one of the generator.
        latents: `normal`, or `uniform` in [-1, 1] as in the paper's experiments.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "mlp", "hidden": [8]},
        "discriminator": {"name": "mlp", "hidden": [8]},
        "loss": "non_saturating",
    }

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        loss: Loss,
        regularizers: Sequence[WeightedRegularizer] = (),
        augmentation: Augmentation | None = None,
        discriminator_steps: Count = 1,
        latents: Literal["normal", "uniform"] = "normal",
    ) -> None:
        super().__init__(generator, discriminator, loss, regularizers, augmentation, discriminator_steps)
        self.latents = latents

    def draw_latents(self, random: Randomness) -> Tensor:
        """Latents (N, latent_size)."""
        if self.latents == "normal":
            return super().draw_latents(random)
        return random.uniform("latents", self.generator.latent_size) * 2 - 1
