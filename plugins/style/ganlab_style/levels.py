"""The sizes that an image passes through, from a few pixels up, and the channels of the maps there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ganlab.errors import UserError
from ganlab.games.growth import Stage

_START = 4  # pixels of the larger side, where halving ends
_LARGEST_START = 8


@dataclass(frozen=True)
class Level:
    """Maps of one size; the larger side gives the level its name."""

    height: int
    width: int
    channels: int

    @property
    def side(self) -> int:
        """The larger side in pixels: the resolution of a square."""
        return max(self.height, self.width)

    @property
    def name(self) -> str:
        """The key of the level's modules."""
        return str(self.side)


def levels_of(shape: Sequence[int], channel_base: int, channel_max: int) -> list[Level]:
    """The levels of images (C, H, W), the smallest first: both sides double from one to the next.

    Maps of the larger side s have channel_base / s channels, but at least one and at most `channel_max`. Raises
    `UserError` for data that are no images, or whose sides cannot be halved often enough.
    """
    if len(shape) != 3:
        raise UserError(f"style-based networks are for images (channels, height, width), not for {tuple(shape)}")
    height, width = shape[1:]
    sizes = [(height, width)]
    while max(height, width) > _START and height % 2 == width % 2 == 0:
        height, width = height // 2, width // 2
        sizes.insert(0, (height, width))
    if max(height, width) > _LARGEST_START:
        raise UserError(
            f"images of {shape[1]} x {shape[2]} pixels can be halved to {height} x {width} only, and networks of this "
            f"family start at {_LARGEST_START} pixels at most: set 'data.resolution' to a small size times a power of "
            "two, such as 64, [96, 128] or [384, 512], or crop the pictures to such a size"
        )
    return [Level(*size, max(1, min(channel_base // max(size), channel_max))) for size in sizes]


def index_of(levels: Sequence[Level], stage: Stage | None) -> int:
    """The place of the level whose images a stage has: the last one without a stage."""
    if stage is None:
        return len(levels) - 1
    sides = [level.side for level in levels]
    assert stage.resolution in sides, f"{stage.resolution} pixels are none of {sides}"
    return sides.index(stage.resolution)
