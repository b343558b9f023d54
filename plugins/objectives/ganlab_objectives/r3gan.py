"""R3GAN's objective as one name."""

from __future__ import annotations

from ganlab.bounds import Weight
from ganlab.contracts import Preset
from ganlab_objectives.distribution import DISTRIBUTION


def r3gan(gamma: Weight = 1.0) -> Preset:
    """Stand for `relativistic` (the softplus of the difference on pairs) with `r1` and `r2` (Huang et al., 2024).

    The penalties run in every update of the discriminator, as in the paper.

    Args:
        gamma: weight of both penalties, each of which has the factor 1/2 in it. The paper lets it fall along a
            cosine: from 2 to 0.2 for FFHQ at 64 pixels, from 150 to 15 at 256, from 0.05 to 0.005 for CIFAR-10.
    """
    return Preset(
        {
            "loss": {"name": f"{DISTRIBUTION}/relativistic", "inner": "logistic"},
            "regularizers": [{"name": f"{DISTRIBUTION}/{name}", "weight": gamma} for name in ("r1", "r2")],
        }
    )
