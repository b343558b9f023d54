"""Slopes without derivatives."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def squared_slope(discriminate: Callable[[Tensor], Tensor], images: Tensor, direction: Tensor, step: float) -> Tensor:
    """((D(x + s v) - D(x - s v)) / 2s)^2 for each image x, its direction v and a step s: (N,).

    It tends to (v' grad D)^2 as s becomes small, with an error of order s^2. For v from a standard normal
    distribution the expectation of that is |grad D|^2 and its standard deviation sqrt(2) times as much.
    """
    images, offset = images.detach(), step * direction.to(images)
    difference = discriminate(images + offset) - discriminate(images - offset)
    return (difference / (2 * step)).square()
