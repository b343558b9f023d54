"""The residual blocks of SNGAN, SAGAN and BigGAN."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ganlab.nn.resampling import Resample
from ganlab_biggan.making import Making


class GeneratorBlock(nn.Module):
    """Doubles the size of maps: norm, rectifier, enlarged, 3x3; norm, rectifier, 3x3; a 1x1 convolution beside it."""

    def __init__(self, inputs: int, outputs: int, condition: int | None, making: Making) -> None:
        super().__init__()
        self.before = making.activation(inputs, condition)
        self.enlarge = making.convolution(inputs, outputs, 3, "up")
        self.between = making.activation(outputs, condition)
        self.convolve = making.convolution(outputs, outputs, 3)
        self.shortcut = making.convolution(inputs, outputs, 1, "up")

    def forward(self, features: Tensor, vector: Tensor | None = None) -> Tensor:
        """Features (N, inputs, H, W) to (N, outputs, 2H, 2W)."""
        inside = self.enlarge(self.before(features, vector))
        inside = self.convolve(self.between(inside, vector))
        result: Tensor = inside + self.shortcut(features)
        return result


Hidden = Literal["out", "in"]


class DiscriminatorBlock(nn.Module):
    """Rectifier, 3x3, rectifier, 3x3, and where it `halves` the mean of four pixels.

    Beside it there is a 1x1 convolution, except where neither size nor width changes. The first block of a network
    has no rectifier before its first convolution.
    """

    def __init__(
        self, inputs: int, outputs: int, making: Making, *, halves: bool, is_first: bool, hidden: Hidden
    ) -> None:
        super().__init__()
        middle = inputs if hidden == "in" and not is_first else outputs
        resample: Resample | None = "down" if halves else None
        self.before = nn.Identity() if is_first else making.rectifier()
        self.first = making.convolution(inputs, middle, 3)
        self.between = making.rectifier()
        self.second = making.convolution(middle, outputs, 3, resample)
        changes = halves or inputs != outputs
        # Averaging four pixels before a 1x1 convolution, as published of the first block, or behind it is the same.
        self.shortcut = making.convolution(inputs, outputs, 1, resample) if changes else nn.Identity()

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, inputs, H, W) to (N, outputs, H, W), or half the size."""
        inside = self.second(self.between(self.first(self.before(features))))
        result: Tensor = inside + self.shortcut(features)
        return result


def generator_stage(inputs: int, outputs: int, condition: int | None, making: Making) -> list[nn.Module]:
    """The one block of a generator's stage."""
    return [GeneratorBlock(inputs, outputs, condition, making)]


def discriminator_stage(
    making: Making, hidden: Hidden, inputs: int, outputs: int, halves: bool, is_first: bool
) -> list[nn.Module]:
    """The one block of a discriminator's stage."""
    return [DiscriminatorBlock(inputs, outputs, making, halves=halves, is_first=is_first, hidden=hidden)]
