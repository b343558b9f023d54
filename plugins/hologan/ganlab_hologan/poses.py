"""Poses: where they are drawn from, and those that are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from ganlab import Latents, UserError

Azimuth = Annotated[float, Ge(-360), Le(360)]
Elevation = Annotated[float, Ge(-90), Le(90)]
Scale = Annotated[float, Gt(0), Le(10)]
Part = Literal["azimuth", "elevation", "scale"]

_CIRCLE = 360.0


@dataclass(kw_only=True)
class PosedLatents(Latents):
    """Latents with the poses (N, 3) that their images are seen in: azimuth and elevation in degrees, and scale."""

    poses: Tensor


class Poses:
    """A uniform distribution of poses.

    Args:
        azimuth: lowest and highest angle around the vertical axis, in degrees.
        elevation: the same above the horizon.
        scale: smallest and largest size.

    Raises `UserError` for a range whose ends are the wrong way round.
    """

    def __init__(
        self,
        azimuth: tuple[float, float],
        elevation: tuple[float, float],
        scale: tuple[float, float],
    ) -> None:
        self.ranges: dict[Part, tuple[float, float]] = {"azimuth": azimuth, "elevation": elevation, "scale": scale}
        for name, (low, high) in self.ranges.items():
            if low > high:
                given = f"[{high:g}, {low:g}], not [{low:g}, {high:g}]"
                raise UserError(f"'{name}' of hologan is the lowest and the highest one: {given}")
        if azimuth[1] - azimuth[0] > _CIRCLE:
            raise UserError(
                f"'azimuth' goes from {azimuth[0]:g} to {azimuth[1]:g} degrees, more than a circle: take [-180, 180]"
            )

    def of(self, shares: Tensor) -> Tensor:
        """Poses (N, 3) at shares (N, 3), from 0 to 1, of the ranges."""
        ends = shares.new_tensor(list(self.ranges.values()))
        return torch.lerp(ends[:, 0].expand_as(shares), ends[:, 1].expand_as(shares), shares)

    def way(self, part: Part, frames: int) -> list[float]:
        """Values that a film turns through and returns from: once around, or from end to end and back."""
        low, high = self.ranges[part]
        steps = torch.arange(frames, dtype=torch.float64) / frames
        if part == "azimuth" and high - low == _CIRCLE:
            return (low + _CIRCLE * steps).tolist()  # type: ignore[no-any-return]
        return (low + (high - low) * (1 - (2 * torch.pi * steps).cos()) / 2).tolist()  # type: ignore[no-any-return]

    def middle(self, part: Part) -> float:
        """Half way between the ends of a range."""
        return sum(self.ranges[part]) / 2


def chosen(poses: Tensor, azimuth: float | None, elevation: float | None, scale: float | None) -> Tensor:
    """The poses (N, 3) with what is not None in its place."""
    columns = []
    for column, value in zip(poses.unbind(1), (azimuth, elevation, scale), strict=True):
        columns.append(column if value is None else torch.full_like(column, value))
    return torch.stack(columns, dim=1)
