"""The size that pictures are brought to: a start of 4 to 7 pixels, doubled, as image networks want it."""

from __future__ import annotations

from ganlab.recipes.machine import Machine
from ganlab.recipes.pictures import Pictures

LARGEST_ON_CPU = 64
LARGEST_ON_ACCELERATOR = 256
SMALLEST = 16
_START = 4  # pixels of the longer side before it is doubled
_SQUARE = 1.1  # sides that differ by less are cut to a square

Resolution = int | tuple[int, int]


def choose_resolution(pictures: Pictures, machine: Machine) -> tuple[Resolution, str]:
    """The resolution, as a spec has it, and why it was chosen."""
    largest = LARGEST_ON_ACCELERATOR if machine.accelerated else LARGEST_ON_CPU
    stored = pictures.typical_side
    side = SMALLEST
    while 2 * side <= min(largest, stored * 1.01):
        side *= 2
    where = "an accelerator" if machine.accelerated else "a CPU"
    why = f"The largest power of two that is no larger than the pictures, whose shorter sides have {stored:.0f} pixels."
    if stored < SMALLEST:
        why = f"The smallest that the networks take well; the pictures have {stored:.0f} pixels and are enlarged."
    elif side == largest and stored >= 2 * largest:
        why = f"The pictures have {stored:.0f} pixels; more than {largest} take long on {where}."
    return _in_proportion(side, min(largest, stored), pictures.proportions, why)


def _in_proportion(side: int, most: float, proportions: float | None, why: str) -> tuple[Resolution, str]:
    """A square, or a rectangle where all pictures have proportions (width over height) that one comes near to."""
    if proportions is None:
        return side, f"{why} They differ in their proportions: the middle is cut out."
    longer = max(proportions, 1 / proportions)
    if longer < _SQUARE:
        return side, why
    starts = [(long, short) for long in range(_START, 2 * _START) for short in range(2, long)]
    long, short = min(starts, key=lambda start: (abs(start[0] / start[1] - longer), start))
    scale = 2
    while 2 * scale * short <= most:
        scale *= 2
    height, width = (short, long) if proportions > 1 else (long, short)
    return (
        (height * scale, width * scale),
        f"[height, width] in about the proportions of the pictures, whose shorter sides have {most:.0f} or more.",
    )
