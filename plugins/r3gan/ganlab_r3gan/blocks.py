"""Residual blocks without normalization, their initialisation, and what both networks check alike."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn

from ganlab.errors import UserError
from ganlab.nn import BiasActivation, Conv2d

_LARGEST_START = 8
_BLOCKS = 2  # of each stage
RECTIFIER_GAIN = math.sqrt(2 / (1 + 0.2**2))


def start_size(shape: Sequence[int], widths: Sequence[int]) -> tuple[int, int]:
    """The size of the smallest maps for images (C, H, W). Raises `UserError` for what does not fit together."""
    if len(shape) != 3:
        raise UserError(f"r3gan is for images (channels, height, width), not for {tuple(shape)}")
    factor = 2 ** max(0, len(widths) - 1)
    height, width = shape[1:]
    if not widths or height % factor or width % factor or max(height, width) > _LARGEST_START * factor:
        raise UserError(
            f"'widths' has {len(widths)} stages, which halve images {max(0, len(widths) - 1)} times, and {height} x "
            f"{width} pixels do not become {_LARGEST_START} or fewer by that: give one width for each size from 4 "
            f"pixels up, such as four for 4, 8, 16 and 32, or set 'data.resolution' to a multiple of {factor}, at most "
            f"{_LARGEST_START * factor}"
        )
    return height // factor, width // factor


def check_groups(widths: Sequence[int], groups: Sequence[int], expansion: float) -> None:
    """Raise `UserError` for groups that the blocks of these widths cannot have."""
    if len(widths) != len(groups):
        raise UserError(
            f"'widths' has {len(widths)} entries and 'groups' {len(groups)}: give each stage one of both, the coarsest "
            "first"
        )
    for width, count in zip(widths, groups, strict=True):
        inner = inner_width(width, expansion)
        if inner % count:
            raise UserError(f"'groups': the {inner} channels inside of a block of width {width} are no {count} groups")


def inner_width(width: int, expansion: float) -> int:
    """Channels inside of a block of this width."""
    return max(1, round(width * expansion))


def drawn(layer: nn.Conv2d | nn.Linear, gain: float = 1.0) -> nn.Conv2d | nn.Linear:
    """The layer, its weight drawn with a standard deviation of gain / sqrt(fan-in)."""
    nn.init.normal_(layer.weight, 0.0, gain / math.sqrt(layer.weight[0].numel()))
    return layer


class ResidualBlock(nn.Module):
    """1x1 to the inner width, grouped 3x3, 1x1 back, added to the input; biases and rectifiers behind the first two.

    The last convolution starts at 0, and the others smaller the more blocks a network has (Zhang et al., 2019,
    "Fixup"): without normalization, the variance of a sum of many blocks stays that of its input.
    """

    def __init__(self, width: int, groups: int, blocks: int, expansion: float = 2.0) -> None:
        super().__init__()
        gain = RECTIFIER_GAIN * blocks**-0.25
        inner = inner_width(width, expansion)
        self.expand = drawn(Conv2d(width, inner, 1, bias=False), gain)
        self.first = BiasActivation(inner, gain=1.0)
        self.mix = drawn(Conv2d(inner, inner, 3, padding=1, groups=groups, bias=False), gain)
        self.second = BiasActivation(inner, gain=1.0)
        self.reduce = Conv2d(inner, width, 1, bias=False)
        nn.init.zeros_(self.reduce.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, width, H, W)."""
        inside = self.second(self.mix(self.first(self.expand(features))))
        result: Tensor = features + self.reduce(inside)
        return result


def stages(widths: Sequence[int], groups: Sequence[int], expansion: float) -> list[nn.Sequential]:
    """The blocks of each stage, in the order of the widths. Raises `UserError` for groups that do not fit."""
    check_groups(widths, groups, expansion)
    total = _BLOCKS * len(widths)
    return [
        nn.Sequential(*(ResidualBlock(width, count, total, expansion) for _ in range(_BLOCKS)))
        for width, count in zip(widths, groups, strict=True)
    ]


def change_of_width(inputs: int, outputs: int) -> nn.Module:
    """A 1x1 convolution where the width changes."""
    return nn.Identity() if inputs == outputs else drawn(Conv2d(inputs, outputs, 1, bias=False))
