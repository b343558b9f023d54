"""Adaptive discriminator augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from ganlab.nn.autocast import without_autocast
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled
from ganlab_augment.adaptive_probability import AdaptiveProbability
from ganlab_augment.channels import colours_for
from ganlab_augment.colour import apply_colour
from ganlab_augment.corruption import apply_corruption
from ganlab_augment.geometry import apply_geometry
from ganlab_augment.image_filter import apply_filter
from ganlab_augment.operations import GROUPS, Draws, Group, Operation

NotNegative = Annotated[float, Ge(0)]


class AdaptiveAugmentation(nn.Module):
    """The pipeline of StyleGAN2-ADA for images of any size and number of channels (Karras et al., 2020).

    Every operation happens with a probability p, each on its own and anew for each image. p follows the mean sign of
    the discriminator's logits of reals, which tells how well it knows them by heart. Images are reflected at their
    edges. Colour operations that the channels do not allow are dropped.

    Args:
        channels: channels of the images.
        groups: operations to use: `blit` (mirror, quarter_turn, shift by whole pixels), `geometry` (scale, rotate,
            stretch, translate), `colour` (brightness, contrast, luma_flip, hue, saturation), `filter` (of octaves of
            frequency), `corruption` (noise, cutout).
        shares: of p, the probability of single operations; 1 where nothing is said, 0 for never.
        strengths: of single operations, instead of the published ones.
        p: a probability that does not adapt; null for one that does.
        initial_p: the probability that adaptation starts from.
        target: the mean sign of the reals' logits to aim at.
        speed_kimg: thousands of images in which p can go from 0 to 1.
        interval: batches between two changes of p.
    """

    example: ClassVar[Mapping[str, Any]] = {"groups": list(GROUPS), "initial_p": 0.8}

    def __init__(
        self,
        channels: int,
        groups: Sequence[Group] = ("blit", "geometry", "colour"),
        shares: Mapping[Operation, NotNegative] | None = None,
        strengths: Mapping[Operation, NotNegative] | None = None,
        p: Annotated[Scheduled, Ge(0)] | None = None,
        initial_p: NotNegative = 0.0,
        target: float = 0.6,
        speed_kimg: Annotated[float, Gt(0)] = 500.0,
        interval: Annotated[int, Ge(1)] = 4,
    ) -> None:
        super().__init__()
        wanted: dict[str, float] = {operation: 1.0 for group in groups for operation in GROUPS[group]}
        wanted.update((operation, share) for operation, share in (shares or {}).items())
        wanted = {operation: share for operation, share in wanted.items() if share}
        colours = colours_for(channels, set(wanted) & set(GROUPS["colour"]))
        self.shares = {name: share for name, share in wanted.items() if name not in GROUPS["colour"] or name in colours}
        self.strengths = {str(operation): strength for operation, strength in (strengths or {}).items()}
        self.p = p
        self.adaptive = AdaptiveProbability(initial_p, target, speed_kimg * 1000, interval) if p is None else None

    def forward(self, images: Tensor, random: Randomness) -> Tensor:
        """Augmented images (N, C, H, W), in float32 at least."""
        images = images.float() if images.dtype == torch.bfloat16 else images
        with without_autocast(images.device):
            draws = Draws(random, images, self._probability(images, random.total), self.shares, self.strengths)
            images = apply_filter(apply_colour(apply_geometry(images, draws), draws), draws)
            return apply_corruption(images, draws)

    def observe(self, real_logits: Tensor) -> Mapping[str, Tensor]:
        """Learn from reals' logits how much augmentation is needed; returns the probability for the log."""
        if self.adaptive is None:
            return {}
        self.adaptive.observe(real_logits)
        return {"p": self.adaptive.value.clone()}

    def _probability(self, images: Tensor, batch_size: int) -> Tensor:
        if self.adaptive is None:
            assert self.p is not None
            return images.new_full((), self.p)
        return self.adaptive.move(batch_size) if self.training else self.adaptive.value
