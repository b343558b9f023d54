"""What the generator of vid2vid minimises besides its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganlab import Scores, UserError
from ganlab_video.clips import Clip
from ganlab_video.generator import Frame
from ganlab_video.warping import warp

_SHARE = 4.0  # of the weight, over a scale's layers, that each of them has


def features_apart(fakes: Scores, reals: Scores) -> Tensor:
    """The mean absolute difference of features in each layer: the mean over layers, times 4, and over scales.

    As in the authors' code, whose discriminators have four layers with features. Raises `UserError` for a discriminator
    that tells of no features.
    """
    if not fakes.features:
        raise UserError(
            "'matching' needs discriminators that return their features beside their logits (ganlab.Scores), such as "
            "'multiscale' or 'patch': take one of these, or set 'matching' to 0"
        )
    pairs = zip(fakes.features, reals.features, strict=True)
    return _SHARE * torch.stack([l1_loss(fake, real.detach()) for fake, real in pairs]).mean()


def distance(first: Tensor, second: Tensor, known: Tensor) -> Tensor:
    """The mean absolute difference of (N, C, H, W), counted as 0 where `known` (N, 1, H, W) is 0."""
    return ((first - second).abs() * known).mean()


def motion_terms(clip: Clip, made: Sequence[Frame], fakes: Tensor) -> Mapping[str, Tensor]:
    """The unweighted terms about motion, means over the frames of a clip, where it is known.

    `flow`: the generator's flow is the known one. `warping`: the real before, moved by it, is the real. `mask`: little
    is drawn anew. `consistency`: the fake before, moved by the known flow, is the fake; no gradient goes to the fake
    before. Empty where nothing is known of motion.
    """
    if clip.flows is None:
        return {}
    before = torch.cat([clip.made, fakes], dim=1).detach()
    found: dict[str, list[Tensor]] = {}
    for index, frame in enumerate(made):
        place = clip.before + index
        last = max(0, place - 1)  # of the first frame nothing is known
        flow, known = clip.flows[:, place, :2], clip.flows[:, place, 2:]
        terms = {"consistency": distance(frame.image, warp(before[:, last], flow), known)}
        if frame.flow is not None and frame.mask is not None:
            terms["flow"] = distance(frame.flow, flow, known)
            terms["warping"] = distance(warp(clip.reals[:, last], frame.flow), clip.reals[:, place], known)
            terms["mask"] = (frame.mask * known).mean()
        for name, value in terms.items():
            found.setdefault(name, []).append(value)
    return {name: torch.stack(values).mean() for name, values in found.items()}
