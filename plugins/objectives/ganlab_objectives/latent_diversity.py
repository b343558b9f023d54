"""Diversity of the generator in the latents."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Gt
from torch import Tensor

from ganlab.contracts import Views
from ganlab.schedules import Scheduled
from ganlab_objectives.nearby_fakes import nearby_fakes


class LatentDiversity:
    """Fakes from nearby latents should differ (Zhao et al., 2021): the generator's half of zCR.

    -mean (G(z) - G(z + d))^2 with d from N(0, deviation^2), the mean over images and their numbers: a reward.

    Args:
        deviation: standard deviation of d.
    """

    side: ClassVar[str] = "generator"
    requires: ClassVar[frozenset[str]] = frozenset({"latents", "fake_images", "generate", "random"})
    is_reward: ClassVar[bool] = True

    def __init__(self, deviation: Annotated[Scheduled, Gt(0)] = 0.05) -> None:
        self.deviation = deviation

    def penalty(self, views: Views) -> Tensor:
        """Minus the mean squared change of the images."""
        change: Tensor = views.fake_images - nearby_fakes(views, self.deviation)
        return -change.square().mean()
