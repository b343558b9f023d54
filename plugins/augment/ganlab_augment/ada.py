"""Adaptive discriminator augmentation."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Gt
from torch import Tensor, nn

from ganlab.errors import UserError
from ganlab.nn.autocast import without_autocast
from ganlab.randomness import Randomness
from ganlab.schedules import Scheduled
from ganlab_augment.adaptive_probability import AdaptiveProbability, Heuristic
from ganlab_augment.channels import colours_for
from ganlab_augment.colour import apply_colour
from ganlab_augment.corruption import apply_corruption
from ganlab_augment.geometry import apply_geometry
from ganlab_augment.image_filter import apply_filter
from ganlab_augment.operations import GROUPS, STRENGTHS, Draws, Group, Operation, nothing_drawn

NotNegative = Annotated[float, Ge(0)]


class AdaptiveAugmentation(nn.Module):
    """The pipeline of StyleGAN2-ADA for images of any size and number of channels (Karras et al., 2020).

    Every operation happens with a probability p, each on its own and anew for each image. p follows the discriminator's
    logits of reals, which tell how well it knows them by heart. Images are reflected at their edges. Colour operations
    that the channels do not allow are dropped, and transparency keeps its values. On the CPU, an image takes the time
    of what was drawn for it.

    Args:
        channels: channels of the images.
        groups: operations to use: `blit` (mirror, quarter_turn, shift by whole pixels), `geometry` (scale, rotate,
            stretch, translate), `colour` (brightness, contrast, luma_flip, hue, saturation), `filter` (of octaves of
            frequency), `corruption` (noise, cutout).
        shares: Shares of p that are the probabilities of single operations; 1 where nothing is said, 0 for never.
        strengths: Strengths of single operations, instead of the published ones.
        p: a probability that does not adapt; null for one that does, for which alone the options below are.
        initial_p: the probability that adaptation starts from.
        heuristic: what is averaged over reals: the `sign` of the logit, the paper's r_t, which depends on no scale of
            the logits; or the `logit` itself, which also tells how sure the discriminator is.
        target: the mean to aim at; null for 0.6 of signs, the paper's, and 1.386 of logits, at which a logistic
            discriminator takes a real for real with a probability of 80%. Other losses have other scales of logits.
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
        heuristic: Heuristic = "sign",
        target: float | None = None,
        speed_kimg: Annotated[float, Gt(0)] = 500.0,
        interval: Annotated[int, Ge(1)] = 4,
    ) -> None:
        super().__init__()
        if p is not None:
            _refuse_adaptation(
                initial_p=initial_p, heuristic=heuristic, target=target, speed_kimg=speed_kimg, interval=interval
            )
        wanted: dict[str, float] = {operation: 1.0 for group in groups for operation in GROUPS[group]}
        wanted.update((operation, share) for operation, share in (shares or {}).items())
        _check_strengths(strengths or {}, wanted)
        wanted = {operation: share for operation, share in wanted.items() if share}
        colours = colours_for(channels, set(wanted) & set(GROUPS["colour"]))
        self.shares = {name: share for name, share in wanted.items() if name not in GROUPS["colour"] or name in colours}
        self.strengths = {str(operation): strength for operation, strength in (strengths or {}).items()}
        self.p = p
        self.adaptive = (
            AdaptiveProbability(initial_p, heuristic, target, speed_kimg * 1000, interval) if p is None else None
        )

    def forward(self, images: Tensor, random: Randomness) -> Tensor:
        """Augmented images (N, C, H, W), in float32 at least."""
        images = images.float() if images.dtype == torch.bfloat16 else images
        probability = self._probability(images, random.total)
        if nothing_drawn(probability):
            return images
        with without_autocast(images.device):
            draws = Draws(random, images, probability, self.shares, self.strengths)
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


def _refuse_adaptation(**options: Any) -> None:
    """Raise `UserError` for an option of adaptation that was changed although p does not adapt."""
    parameters = inspect.signature(AdaptiveAugmentation.__init__).parameters
    changed = [name for name, value in options.items() if value != parameters[name].default]
    if changed:
        raise UserError(f"'p' is set and does not adapt: leave out {', '.join(changed)}, or 'p'")


def _check_strengths(strengths: Mapping[Operation, float], wanted: Collection[str]) -> None:
    for operation in strengths:
        if operation not in STRENGTHS:
            raise UserError(f"'{operation}' has no strength; those that have one: {', '.join(STRENGTHS)}")
        if operation not in wanted:
            raise UserError(f"'strengths' has '{operation}', which is not in use: add its group to 'groups'")
