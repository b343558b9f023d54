"""Mixtures of Gaussians in the plane: the smallest data on which a lost mode can be counted."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab.bounds import Examples, Positive, Seed
from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab_datasets.in_memory import InMemory, content_fingerprint

_USUAL = {"ring": (8, 0.02), "grid": (25, 0.05)}  # modes and standard deviation
_RADIUS = 2.0


class GaussianMixture(InMemory):
    """Points (2,) drawn from equal round Gaussians, float32; scaling leaves them as they are.

    `ring`: `modes` (8) centres on the circle of radius 2, standard deviation 0.02 (the unrolled GAN's mixture).
    `grid`: `modes` (25, a square number) centres one apart and centred on 0, so -2, -1, 0, 1, 2 in both directions
    for 25, standard deviation 0.05 (WGAN-GP's mixture before it is divided by 2.828).
    `size` points are drawn once, from `seed`. With `labels`, the mode is the class.
    `facts.extras` holds `centres` and `standard_deviation`.
    """

    def __init__(
        self,
        layout: Literal["ring", "grid"] = "grid",
        modes: Annotated[int, Ge(1), Le(10_000)] | None = None,
        standard_deviation: Positive | None = None,
        size: Examples = 100_000,
        seed: Seed = 0,
        labels: bool = False,
    ) -> None:
        usual_modes, usual_deviation = _USUAL[layout]
        modes = usual_modes if modes is None else modes
        deviation = usual_deviation if standard_deviation is None else standard_deviation
        if modes < 1 or size < 1 or deviation <= 0:
            raise DataError("'modes', 'size' and 'standard_deviation' of gaussian_mixture are above 0")
        centres = _ring(modes) if layout == "ring" else _grid(modes)
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(modes, (size,), generator=generator)
        points = centres[chosen] + deviation * torch.randn(size, 2, generator=generator)
        classes = chosen if labels else None
        facts = DataFacts(
            shape=(2,),
            size=size,
            fingerprint=content_fingerprint("gaussian_mixture", points, classes),
            value_range=(-1.0, 1.0),  # the identity: the points themselves reach beyond
            class_names=tuple(f"mode {mode}" for mode in range(modes)) if labels else (),
            extras={"centres": centres.tolist(), "standard_deviation": deviation},
        )
        super().__init__(points, classes, facts)


def _ring(modes: int) -> Tensor:
    angles = torch.arange(modes) * (2 * math.pi / modes)
    return _RADIUS * torch.stack([angles.cos(), angles.sin()], 1)


def _grid(modes: int) -> Tensor:
    side = math.isqrt(modes)
    if side * side != modes:
        raise DataError(f"'modes' of a grid of Gaussians is a square number (9, 16, 25, ...), not {modes}")
    places = torch.arange(side) - (side - 1) / 2
    return torch.cartesian_prod(places, places).view(modes, 2)
