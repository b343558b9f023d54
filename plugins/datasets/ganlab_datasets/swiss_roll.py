"""The swiss roll in the plane: a curve that must be covered along its whole length."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganlab.bounds import Examples, Positive, Seed
from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab_datasets.in_memory import InMemory, content_fingerprint

_START, _END = 1.5 * math.pi, 4.5 * math.pi  # of the angle, as in scikit-learn's roll
_LARGEST = 2.0  # radius of the outer end
_CURVE_POINTS = 1000


class SwissRoll(InMemory):
    """Points (2,) along a spiral, float32; scaling leaves them as they are.

    The roll of scikit-learn seen from its end: angle and radius grow together from 1.5 to 4.5 pi, where the angle is
    uniform, scaled so that the outer end has the radius 2. `noise` is the standard deviation in both directions,
    after scaling. `size` points are drawn once, from `seed`. There are no labels.
    `facts.extras` holds `curve`, points of the noiseless spiral at even steps of the angle, and `standard_deviation`.
    """

    def __init__(self, noise: Positive = 0.05, size: Examples = 100_000, seed: Seed = 0) -> None:
        if size < 1 or noise <= 0:
            raise DataError("'size' and 'noise' of swiss_roll are above 0")
        generator = torch.Generator().manual_seed(seed)
        angles = _START + (_END - _START) * torch.rand(size, generator=generator)
        points = _spiral(angles) + noise * torch.randn(size, 2, generator=generator)
        middles = (torch.arange(_CURVE_POINTS) + 0.5) / _CURVE_POINTS
        facts = DataFacts(
            shape=(2,),
            size=size,
            fingerprint=content_fingerprint("swiss_roll", points),
            value_range=(-1.0, 1.0),  # the identity: the points themselves reach beyond
            extras={
                "curve": _spiral(_START + (_END - _START) * middles).tolist(),
                "standard_deviation": noise,
            },
        )
        super().__init__(points, None, facts)


def _spiral(angles: Tensor) -> Tensor:
    radius = angles * (_LARGEST / _END)
    return radius[:, None] * torch.stack([angles.cos(), angles.sin()], 1)
