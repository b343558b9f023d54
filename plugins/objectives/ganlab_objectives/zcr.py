"""Latent consistency regularization as one name."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt

from ganlab.bounds import Weight
from ganlab.contracts import Preset
from ganlab.schedules import Scheduled
from ganlab_objectives.distribution import DISTRIBUTION


def zcr(consistency: Weight = 20.0, diversity: Weight = 0.5, deviation: Annotated[Scheduled, Gt(0)] = 0.05) -> Preset:
    """Stand for `latent_consistency` and `latent_diversity`: zCR (Zhao et al., 2021); with `bcr` this is ICR.

    The paper tunes these numbers for each data set; the defaults are those of a public reimplementation (StudioGAN).

    Args:
        consistency: weight of the change of the logits, which the discriminator keeps small.
        diversity: weight of the change of the images, which the generator keeps large.
        deviation: standard deviation of the change of the latents.
    """
    names = {"latent_consistency": consistency, "latent_diversity": diversity}
    return Preset(
        {
            "regularizers": [
                {"name": f"{DISTRIBUTION}/{name}", "weight": weight, "deviation": deviation}
                for name, weight in names.items()
            ]
        }
    )
