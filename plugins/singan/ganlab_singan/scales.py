"""The sizes of a pyramid's images, and which of them is trained when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ganlab import UserError

Size = tuple[int, int]
"""Height and width in pixels."""


def sizes_of(finest: Size, coarsest: int, factor: float, scales: int | None = None) -> tuple[Size, ...]:
    """Heights and widths from the coarsest to the finest, each about `factor` times the next.

    The smaller side of the coarsest has `coarsest` pixels. As many scales as bring the factor nearest to the wanted
    one, or so many as are asked for: the factor follows from the ends. Raises `UserError` where they do not fit.
    """
    smaller = min(finest)
    if coarsest > smaller:
        raise UserError(
            f"'coarsest' is {coarsest}, but the smaller side of the picture has only {smaller} pixels: lower "
            "'architecture.coarsest', or take a larger picture"
        )
    ratio = coarsest / smaller
    steps = round(math.log(ratio) / math.log(factor)) if scales is None else scales - 1
    if scales is None and ratio < 1:
        steps = max(steps, 1)
    if steps == 0 and ratio < 1:
        raise UserError(
            f"one scale has one size, but the picture's smaller side is {smaller} and 'coarsest' {coarsest}: set both "
            "alike, or allow more 'scales'"
        )
    return tuple(scaled(finest, ratio ** (level / max(steps, 1))) for level in reversed(range(steps + 1)))


def scaled(size: Size, factor: float) -> Size:
    """A size with both sides multiplied, and rounded to pixels."""
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def resized(sizes: tuple[Size, ...], finest: Size) -> tuple[Size, ...]:
    """The sizes of a pyramid whose finest images have another size and aspect."""
    down, across = finest[0] / sizes[-1][0], finest[1] / sizes[-1][1]
    return tuple((max(1, round(height * down)), max(1, round(width * across))) for height, width in sizes)


@dataclass(frozen=True)
class Plan:
    """Which scale is trained at a moment: each for `images` real images, the last one to the end.

    In the last part of each, from the share `decay_at` on, learning rates are `decay` times what they were.
    """

    scales: int
    images: int
    decay_at: float
    decay: float

    @property
    def complete_at(self) -> int:
        """Images seen when the last scale has had its time."""
        return self.scales * self.images

    def begins(self, scale: int) -> int:
        """Images seen when a scale begins."""
        return scale * self.images

    def scale(self, images_seen: int) -> int:
        """The scale of a step that starts at this moment."""
        return min(images_seen // self.images, self.scales - 1)

    def rate(self, images_seen: int) -> float:
        """What learning rates are multiplied with in that step."""
        since = images_seen - self.begins(self.scale(images_seen))
        return self.decay if since >= self.decay_at * self.images else 1.0
