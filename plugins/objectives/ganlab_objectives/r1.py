"""R1: gradient penalty on reals."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from torch import Tensor

from ganlab.bounds import Positive
from ganlab.contracts import Views
from ganlab_objectives.difference_quotient import squared_slope
from ganlab_objectives.image_parts import part_count


class R1:
    """Half the squared norm of the discriminator's gradient at reals (Mescheder et al., 2018).

    The half is in the penalty, so that the weight in a spec is the paper's gamma. The square is summed over an
    image and averaged over the batch, and over the sizes of an image where there are several.

    Args:
        finite_difference: the gradient's norm without a double backward, from the discriminator's values to either
            side of each image along the gradient, so far away that its numbers change by this (root mean square). Null
            is exact.
    """

    side: ClassVar[str] = "discriminator"
    images_view: ClassVar[str] = "real_images"
    labels_view: ClassVar[str] = "labels"
    gradient_view: ClassVar[str] = "real_gradient"

    def __init__(self, finite_difference: Positive | None = None) -> None:
        self.finite_difference = finite_difference
        exact = finite_difference is None
        self.differentiates_twice: frozenset[str] = frozenset({"discriminator"} if exact else ())

    @property
    def requires(self) -> frozenset[str]:
        """The exact gradient comes from the loss's own pass; differences need passes of their own."""
        if self.finite_difference is None:
            return frozenset({self.gradient_view})
        return frozenset({self.images_view, self.labels_view, "discriminate"})

    def penalty(self, views: Views) -> Tensor:
        """1/2 mean_n |dD/dx_n|^2 at the images."""
        if self.finite_difference is not None:
            discriminate = partial(views.discriminate, labels=getattr(views, self.labels_view))
            slopes = squared_slope(discriminate, getattr(views, self.images_view), self.finite_difference)
        else:
            slopes = getattr(views, self.gradient_view).square().flatten(1).sum(1)
        return slopes.mean() / (2 * part_count(views))
