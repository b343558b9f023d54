"""Which colour operations an image's channels allow."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection

from pytorch_lightning.utilities import rank_zero_only

logger = logging.getLogger(__name__)

_ON_GREY = frozenset({"brightness", "contrast", "luma_flip"})


def colours_for(channels: int, wanted: Collection[str]) -> frozenset[str]:
    """The colour operations that make sense, of those that are wanted; says which ones are dropped.

    Three channels are taken for red, green and blue, one for grey, which has neither hue nor saturation; what other
    numbers of channels mean is not known, and they get no colour operation.
    """
    allowed = frozenset(wanted) if channels == 3 else frozenset(wanted) & (_ON_GREY if channels == 1 else frozenset())
    dropped = sorted(set(wanted) - allowed)
    if dropped:
        _say(f"images with {channels} channel{'s'[: channels > 1]} are not augmented by: {', '.join(dropped)}")
    return allowed


@functools.cache  # once for each sentence, however often a network is built
@rank_zero_only
def _say(sentence: str) -> None:
    logger.warning("ganlab: %s", sentence)
