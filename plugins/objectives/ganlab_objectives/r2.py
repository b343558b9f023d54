"""R2: gradient penalty on fakes."""

from __future__ import annotations

from typing import ClassVar

from ganlab_objectives.r1 import R1


class R2(R1):
    """Half the squared norm of the discriminator's gradient at fakes (Mescheder et al., 2018).

    As `r1` in all else. The fakes are those of the update, without a gradient for the generator.

    Args:
        finite_difference: as for `r1`.
    """

    images_view: ClassVar[str] = "fake_images"
    labels_view: ClassVar[str] = "fake_labels"
    gradient_view: ClassVar[str] = "fake_gradient"
