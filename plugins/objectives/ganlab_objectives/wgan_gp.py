"""The Wasserstein loss with its usual penalties, as one name."""

from __future__ import annotations

from typing import Any

from ganlab.bounds import Weight
from ganlab.contracts import Preset
from ganlab_objectives.distribution import DISTRIBUTION


def wgan_gp(gradient_penalty: Weight = 10.0, drift: Weight = 1e-3) -> Preset:
    """Stand for `wasserstein` with the regularizers `gradient_penalty` and `drift` (Gulrajani et al., 2017).

    Args:
        gradient_penalty: weight of the penalty on the norm of the discriminator's gradient.
        drift: weight of the mean squared logit of the reals (Karras et al., 2018); 0 leaves it out.
    """
    regularizers: list[dict[str, Any]] = [
        {"name": f"{DISTRIBUTION}/gradient_penalty", "weight": gradient_penalty},
        {"name": f"{DISTRIBUTION}/drift", "weight": drift},
    ]
    return Preset(
        {
            "loss": f"{DISTRIBUTION}/wasserstein",
            "regularizers": [node for node in regularizers if node["weight"] != 0],
        }
    )
