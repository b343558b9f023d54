"""The operations of adaptive augmentation: their groups, strengths and draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from ganlab.randomness import Randomness

Operation = Literal[
    "mirror",
    "quarter_turn",
    "shift",
    "scale",
    "rotate",
    "stretch",
    "translate",
    "brightness",
    "contrast",
    "luma_flip",
    "hue",
    "saturation",
    "filter",
    "noise",
    "cutout",
]
Group = Literal["blit", "geometry", "colour", "filter", "corruption"]

GROUPS: Mapping[str, tuple[str, ...]] = {
    "blit": ("mirror", "quarter_turn", "shift"),
    "geometry": ("scale", "rotate", "stretch", "translate"),
    "colour": ("brightness", "contrast", "luma_flip", "hue", "saturation"),
    "filter": ("filter",),
    "corruption": ("noise", "cutout"),
}

STRENGTHS: Mapping[str, float] = {
    "shift": 0.125,  # largest, as a share of the image's side, rounded to pixels
    "scale": 0.2,  # standard deviation of the logarithm to the base 2
    "rotate": 1.0,  # largest, in half turns
    "stretch": 0.2,  # standard deviation of the logarithm to the base 2
    "translate": 0.125,  # standard deviation, as a share of the image's side
    "brightness": 0.2,  # standard deviation
    "contrast": 0.5,  # standard deviation of the logarithm to the base 2
    "hue": 1.0,  # largest, in half turns
    "saturation": 1.0,  # standard deviation of the logarithm to the base 2
    "filter": 1.0,  # standard deviation of the logarithm to the base 2, for each octave
    "noise": 0.1,  # standard deviation of the noise's standard deviation
    "cutout": 0.5,  # side, as a share of the image's
}
"""The published strengths (Karras et al., 2020, appendix B)."""

_UNIFORM_NUMBERS = 32  # more than all operations take
_NORMAL_NUMBERS = 16


class Draws:
    """Random numbers of one call, one row for each image, given out in the order in which they are asked for.

    `probability` is that of every operation, a scalar tensor; `shares` scales it for single ones.
    """

    def __init__(
        self,
        random: Randomness,
        images: Tensor,
        probability: Tensor,
        shares: Mapping[str, float],
        strengths: Mapping[str, float],
    ) -> None:
        self.random = random
        self.images = images
        self.probability = probability
        self.shares = shares
        self.strengths = {**STRENGTHS, **strengths}
        self._uniform = random.uniform("augmentation", _UNIFORM_NUMBERS).to(images)
        self._normal = random.normal("augmentation", _NORMAL_NUMBERS).to(images)
        self._next = {"uniform": 0, "normal": 0}

    def __contains__(self, operation: str) -> bool:
        return operation in self.shares

    def uniform(self, columns: int = 1) -> Tensor:
        """Uniform numbers in [0, 1) (N, columns)."""
        return self._take("uniform", self._uniform, columns)

    def normal(self, columns: int = 1) -> Tensor:
        """Standard normal numbers (N, columns)."""
        return self._take("normal", self._normal, columns)

    def symmetric(self, columns: int = 1) -> Tensor:
        """Uniform numbers in [-1, 1) (N, columns)."""
        return self.uniform(columns) * 2 - 1

    def power_of_two(self, operation: str, columns: int = 1) -> Tensor:
        """Factors (N, columns) around 1 whose logarithm to the base 2 has the operation's strength as deviation."""
        return torch.exp2(self.normal(columns) * self.strengths[operation])

    def sometimes(self, operation: str, value: Tensor, otherwise: float, *, of_two: bool = False) -> Tensor:
        """The value (N, columns) for the images that get the operation, and what does nothing for the others.

        An operation that is `of_two` has two chances, which together have its probability.
        """
        chance = self.probability * self.shares[operation]
        if of_two:
            chance = 1 - torch.sqrt((1 - chance).clamp_min(0))
        return torch.where(self.uniform() < chance, value, otherwise)

    def _take(self, kind: str, numbers: Tensor, columns: int) -> Tensor:
        start = self._next[kind]
        self._next[kind] = start + columns
        assert start + columns <= numbers.shape[1], "an operation took more numbers than were drawn"
        return numbers[:, start : start + columns]


def nothing_drawn(strengths: Tensor) -> bool:
    """Whether all strengths are 0, so that an operation can be left out; only known at once on the CPU."""
    return strengths.device.type == "cpu" and not strengths.any()


def angle(draws: Draws, operation: str, *, of_two: bool = False) -> Tensor:
    """Angles (N, 1) in radians, 0 for images that are not turned."""
    value = draws.symmetric() * (math.pi * draws.strengths[operation])
    return draws.sometimes(operation, value, 0.0, of_two=of_two)
