"""Slopes without second derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import normalize


def squared_slope(discriminate: Callable[[Tensor], Tensor], images: Tensor, step: float) -> Tensor:
    """((D(x + s u) - D(x - s u)) / 2s)^2 for each image x, with u the direction of the gradient of D there: (N,).

    u is a constant for the derivative by the discriminator's parameters. That is right: of all directions the slope
    along u is the largest, so that a small turn of u changes nothing. As s becomes small, value and derivative tend to
    those of |grad D|^2, with errors of order s^2 where D is smooth. `step` is s as the root mean square of the change
    of an image's numbers. An image whose gradient is zero has the slope 0.
    """
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(discriminate(images).sum(), images)
    length = step * math.sqrt(images[0].numel())
    offset = length * normalize(gradient.flatten(1), dim=1).view_as(images)
    images = images.detach()
    difference = discriminate(images + offset) - discriminate(images - offset)
    return (difference / (2 * length)).square()
