"""Gain and bias that are made from a conditioning vector or from a map."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from ganlab.errors import UserError
from ganlab.nn import Conditional, Spatial

Wrap = Callable[[nn.Module], nn.Module]
"""What normalizes the weight of a layer."""


def modulated(
    norm: nn.Module,
    channels: int,
    condition: int | None,
    spatial: int | None,
    map_width: int,
    weight: Wrap | None = None,
) -> nn.Module:
    """A normalization without gain and bias with those from a vector or a map; `weight` wraps the layers between."""
    if condition is not None and spatial is not None:
        raise UserError("gain and bias of a normalization are made from a conditioning vector or from a map, not both")
    if spatial is not None:
        return Spatial(norm, channels, spatial, map_width, weight)
    assert condition is not None
    return Conditional(norm, channels, condition, weight)
