"""R2 from one random step beside each fake."""

from __future__ import annotations

from typing import ClassVar

from ganlab_objectives.r1_approximate import R1Approximate


class R2Approximate(R1Approximate):
    """The squared change of the discriminator's logit from a fake to a noisy copy (Lin et al., 2025).

    As `r1_approximate` in all else.

    Args:
        deviation: as for `r1_approximate`.
        share: as for `r1_approximate`.
    """

    requires: ClassVar[frozenset[str]] = frozenset({"fake_images", "fake_labels", "discriminate", "random"})
    images_view: ClassVar[str] = "fake_images"
    labels_view: ClassVar[str] = "fake_labels"
