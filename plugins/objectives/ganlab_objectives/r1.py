"""R1: gradient penalty on reals."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from ganlab.contracts import Views
from ganlab_objectives.input_gradient import input_gradient


class R1:
    """Half the squared norm of the discriminator's gradient at reals (Mescheder et al., 2018).

    The half is in the penalty, so that the weight in a spec is the paper's gamma. The square is summed over an
    image and averaged over the batch.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_images", "discriminate"})

    def penalty(self, views: Views) -> Tensor:
        """1/2 mean_n |dD/dx_n|^2 at the reals."""
        gradient = input_gradient(views.discriminate, views.real_images)
        return gradient.square().flatten(1).sum(1).mean() / 2
