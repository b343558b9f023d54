"""R1 from one random step beside each real, without a double backward."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Gt, Le
from torch import Tensor

from ganlab.bounds import Positive
from ganlab.contracts import Views
from ganlab.schedules import Scheduled
from ganlab_objectives.image_parts import part_count


class R1Approximate:
    """The squared change of the discriminator's logit from a real to a noisy copy (Lin et al., 2025).

    mean (D(x) - D(x + deviation * n))^2 with n from N(0, 1): for small steps its expectation is deviation^2 |dD/dx|^2,
    so that a weight of gamma / (2 * deviation^2) stands for R1 with the weight gamma. There is no gradient by images,
    and it goes with `trainer.compile`. Both passes have the same augmentation and noise of layers.

    Args:
        deviation: standard deviation of the noise on each number of an image.
        share: Share of the images that the penalty is about: the first ones of each device's part of a batch, or of
            each micro-batch, at least one.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset({"real_images", "labels", "discriminate", "random"})
    images_view: ClassVar[str] = "real_images"
    labels_view: ClassVar[str] = "labels"

    def __init__(self, deviation: Positive = 0.01, share: Annotated[Scheduled, Gt(0), Le(1)] = 1.0) -> None:
        self.deviation = deviation
        self.share = share

    def penalty(self, views: Views) -> Tensor:
        """The mean squared change at the images."""
        images: Tensor = getattr(views, self.images_view).detach()
        labels = getattr(views, self.labels_view)
        count = max(1, round(self.share * len(images)))
        images, labels = images[:count], None if labels is None else labels[:count]
        noise = views.random.normal(f"{self.images_view}/step", *images.shape[1:])[:count].to(images)
        change: Tensor = views.discriminate(images, labels) - views.discriminate(
            images + self.deviation * noise, labels
        )
        return change.square().mean() / part_count(views)
