"""Which colour operations an image's channels allow."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection

import torch
from pytorch_lightning.utilities import rank_zero_only
from torch import Tensor

logger = logging.getLogger(__name__)

_ON_GREY = frozenset({"brightness", "contrast", "luma_flip"})
_ALLOWED = {0: frozenset[str](), 1: _ON_GREY, 3: _ON_GREY | {"hue", "saturation"}}


def colour_channels(channels: int) -> int:
    """How many of an image's channels, which come first, are colours: the rest is transparency or not known."""
    return {1: 1, 2: 1, 3: 3, 4: 3}.get(channels, 0)


def on_colours(images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
    """Images (N, C, H, W) whose colours are changed and whose transparency is not."""
    colours = colour_channels(images.shape[1])
    if colours == images.shape[1]:
        return change(images)
    return torch.cat([change(images[:, :colours]), images[:, colours:]], dim=1)


def colours_for(channels: int, wanted: Collection[str]) -> frozenset[str]:
    """The colour operations that make sense, of those that are wanted; says which ones are dropped.

    Three channels are taken for red, green and blue, one for grey, which has neither hue nor saturation; four and two
    are these with transparency, which no colour operation changes. What other numbers of channels mean is not known,
    and they get no colour operation.
    """
    allowed = frozenset(wanted) & _ALLOWED[colour_channels(channels)]
    dropped = sorted(set(wanted) - allowed)
    if dropped:
        _say(f"images with {channels} channel{'s'[: channels > 1]} are not augmented by: {', '.join(dropped)}")
    return allowed


@functools.cache  # once for each sentence, however often a network is built
@rank_zero_only
def _say(sentence: str) -> None:
    logger.warning("ganlab: %s", sentence)
