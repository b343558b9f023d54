"""Consistency regularization of the discriminator."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from ganlab.bounds import Weight
from ganlab.contracts import Augmentation, Views
from ganlab.errors import UserError
from ganlab_objectives.flip_and_shift import FlipAndShift


class Consistency(nn.Module):
    """The discriminator should say the same of an image and of its augmented copy: CR (Zhang et al., 2020).

    reals * mean (D(x) - D(T(x)))^2 + fakes * mean (D(G(z)) - D(T(G(z))))^2. With `fakes: 1` this is bCR (Zhao et al.,
    2021), and `bcr` is that with the paper's weights. T is drawn anew for each image of each update.

    Args:
        shape: shape of one example.
        augmentation: T; null means flips and shifts by up to 1/8 with reflected edges, for images only. One that
            adapts sees the reals' logits of the updates in which the penalty is due.
        reals: share of the penalty on reals.
        fakes: share of the penalty on fakes.
    """

    side: ClassVar[str] = "discriminator"
    requires: ClassVar[frozenset[str]] = frozenset(
        {"real_images", "real_logits", "labels", "fake_images", "fake_logits", "fake_labels", "discriminate", "random"}
    )

    def __init__(
        self,
        shape: tuple[int, ...],
        augmentation: Augmentation | None = None,
        reals: Weight = 1.0,
        fakes: Weight = 0.0,
    ) -> None:
        super().__init__()
        if augmentation is None and len(shape) != 3:
            raise UserError(f"consistency flips and shifts images and not vectors of {shape[0]}: set 'augmentation'")
        self.augmentation = FlipAndShift() if augmentation is None else augmentation
        self.reals = reals
        self.fakes = fakes

    def penalty(self, views: Views) -> Tensor:
        """The shares of reals and fakes; one that is 0 costs nothing."""
        if "part_sizes" in views:
            raise UserError(
                "consistency changes plain images, and the images of this game are several sizes at once: leave it out"
            )
        total: Tensor = views.real_logits.new_zeros(())
        if self.reals != 0:
            total = total + self.reals * self._change(
                views, views.real_images, views.labels, views.real_logits, "reals"
            )
        if self.fakes != 0:
            total = total + self.fakes * self._change(
                views, views.fake_images, views.fake_labels, views.fake_logits, "fakes"
            )
        if hasattr(self.augmentation, "observe"):
            self.augmentation.observe(views.real_logits.detach())
        return total

    def _change(self, views: Views, images: Tensor, labels: Tensor | None, logits: Tensor, name: str) -> Tensor:
        changed = self.augmentation(images.detach(), views.random.scoped("consistency", name))
        change: Tensor = logits - views.discriminate(changed, labels)
        return change.square().mean()
