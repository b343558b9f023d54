"""The plain game, sampled with truncated latents and standing statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from ganlab.bounds import Natural, Positive
from ganlab.contracts import Latents
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness
from ganlab_biggan.standing import Statistics, packed, standing_statistics, unpacked, with_statistics
from ganlab_biggan.truncation import truncated


class BigGAN(TwoPlayerGAN):
    """The plain game, for networks of this family and others that map normal latents to images (Brock et al., 2019)."""

    example: ClassVar[Mapping[str, Any]] = {
        "generator": {"name": "biggan", "width": 2, "shared": 4, "multipliers": [2, 2, 1], "latent_size": 9},
        "discriminator": {"name": "biggan", "width": 2, "multipliers": [2, 2, 2]},
        "loss": "hinge",
        "discriminator_steps": 2,
        "fake_labels": "uniform",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # Those that were measured last, and for what; not a part of the model.
        self._measured: tuple[Any, Statistics] | None = None

    def before_sampling(
        self,
        random: Randomness,
        *,
        averaged: bool = True,
        truncation: float | None = None,
        standing: int = 0,
    ) -> None:
        """Measure the statistics that samples with these options are normalized by."""
        self._measured = None
        if standing == 0:
            return
        generator = self.network("generator", averaged)

        def run(batch: int) -> None:
            drawn = random.scoped("standing", batch)
            labels = drawn.integers("labels", self.facts.classes) if self.facts.classes else None
            latents = truncated(self.draw_latents(drawn), truncation)
            self.run_generator(generator, latents, labels, {})

        what = f"statistics of {standing} batches of {len(random)} at a truncation of {truncation}"
        statistics = self.measured(generator, what, lambda: packed(standing_statistics(generator, run, standing)))
        self._measured = (averaged, truncation, standing), unpacked(statistics)

    def render(
        self,
        latents: Latents,
        *,
        averaged: bool = True,
        truncation: Positive | None = None,
        standing: Natural = 0,
    ) -> Tensor:
        """Images of latents.

        Args:
            latents: as `draw` makes them.
            averaged: use the averaged weights.
            truncation: the largest distance of a latent number from 0, as if those beyond were drawn anew; null for
                none. Smaller ones give samples that are better and more alike.
            standing: number of batches of 64 samples, drawn with this truncation, whose statistics batch norm uses; 0
                for the running averages of the training. Truncation needs it, 16 in the authors' code.
        """
        generator = self.network("generator", averaged)
        values = truncated(latents.values, truncation)
        statistics = self._standing(averaged, truncation, standing) if standing else None
        with with_statistics(generator, statistics):
            return self.run_generator(generator, values, latents.labels, latents.inputs)

    def _standing(self, averaged: bool, truncation: float | None, standing: int) -> Statistics:
        wanted = (averaged, truncation, standing)
        assert self._measured is not None and self._measured[0] == wanted, "before_sampling comes first (get_ready)"  # noqa: PT018
        return self._measured[1]
