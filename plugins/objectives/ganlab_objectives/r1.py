"""R1: gradient penalty on reals."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab.contracts import Views
from ganlab.spec.model import Positive
from ganlab_objectives.difference_quotient import squared_slope
from ganlab_objectives.input_gradient import input_gradient


class R1:
    """Half the squared norm of the discriminator's gradient at reals (Mescheder et al., 2018).

    The half is in the penalty, so that the weight in a spec is the paper's gamma. The square is summed over an
    image and averaged over the batch.

    Args:
        finite_difference: the gradient's norm without a double backward, from the discriminator's values to either
            side of each image along the gradient, so far away that its numbers change by this (root mean square). Null
            is exact.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_images", "discriminate"})

    def __init__(self, finite_difference: Positive | None = None) -> None:
        self.finite_difference = finite_difference
        exact = finite_difference is None
        self.differentiates_twice: frozenset[str] = frozenset({"discriminator"} if exact else ())

    def penalty(self, views: Views) -> Tensor:
        """1/2 mean_n |dD/dx_n|^2 at the reals."""
        images = self._images(views)
        if self.finite_difference is not None:
            return squared_slope(views.discriminate, images, self.finite_difference).mean() / 2
        gradient = input_gradient(views.discriminate, images)
        return gradient.square().flatten(1).sum(1).mean() / 2

    def _images(self, views: Views) -> Tensor:
        images: Tensor = views.real_images
        return images
