"""Balanced consistency regularization as one name."""

from __future__ import annotations

from ganlab.bounds import Weight
from ganlab.contracts import Preset
from ganlab_objectives.distribution import DISTRIBUTION


def bcr(weight: Weight = 10.0) -> Preset:
    """Stand for `consistency` on reals and fakes alike: bCR (Zhao et al., 2021).

    Args:
        weight: Weight of both penalties.
    """
    return Preset({"regularizers": [{"name": f"{DISTRIBUTION}/consistency", "weight": weight, "fakes": 1.0}]})
