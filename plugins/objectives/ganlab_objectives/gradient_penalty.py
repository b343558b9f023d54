"""Gradient penalty between reals and fakes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from ganlab.contracts import Views
from ganlab.schedules import Scheduled
from ganlab_objectives.input_gradient import input_gradient


class GradientPenalty:
    """Keeps the norm of the discriminator's gradient near a target, on lines from fakes to reals.

    The penalty is (norm - target)^2 / target^2 with the norm over a whole image and one random point per line
    (Gulrajani et al., 2017).

    Args:
        target: the norm to aim at; 0 means the squared norm itself.
        one_sided: penalise only norms above the target.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_images", "fake_images", "discriminate", "random"})

    def __init__(self, target: Scheduled = 1.0, one_sided: bool = False) -> None:
        self.target = target
        self.one_sided = one_sided

    def penalty(self, views: Views) -> Tensor:
        """Mean over the batch of the relative squared distance to the target."""
        images = _between(views.fake_images, views.real_images, views.random.uniform("interpolation"))
        norm = torch.linalg.vector_norm(input_gradient(views.discriminate, images).flatten(1), dim=1)
        distance: Tensor = norm if self.target == 0 else norm / self.target - 1
        return (distance.relu() if self.one_sided else distance).square().mean()


def _between(fake_images: Tensor, real_images: Tensor, fraction: Tensor) -> Tensor:
    # Detached: the penalty is about the discriminator, and the fakes need no graph for it.
    weight = fraction.to(real_images).view(-1, *[1] * (real_images.dim() - 1))
    return fake_images.detach().lerp(real_images.detach(), weight)
