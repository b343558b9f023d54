"""Consistency of the discriminator in the latents."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Gt
from torch import Tensor

from ganlab.contracts import Views
from ganlab.schedules import Scheduled
from ganlab_objectives.nearby_fakes import nearby_fakes


class LatentConsistency:
    """The discriminator should say the same of fakes from nearby latents (Zhao et al., 2021): one half of zCR.

    mean (D(G(z)) - D(G(z + d)))^2 with d from N(0, deviation^2). The other half is `latent_diversity`.

    Args:
        deviation: standard deviation of d.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset(
        {"latents", "fake_labels", "fake_logits", "generate", "discriminate", "random"}
    )

    def __init__(self, deviation: Annotated[Scheduled, Gt(0)] = 0.05) -> None:
        self.deviation = deviation

    def penalty(self, views: Views) -> Tensor:
        """Mean squared change of the logits; the generator gets no gradient."""
        nearby = nearby_fakes(views, self.deviation).detach()
        change: Tensor = views.fake_logits - views.discriminate(nearby, views.fake_labels)
        return change.square().mean()
