"""The widths of a network's stages, and the sizes of its maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ganlab.errors import UserError

_SMALLEST, _LARGEST = 1, 8  # pixels of the longer side of the smallest maps

# Multiples of the width, from the smallest maps on, for squares of so many pixels. The sizes below 32 are ours.
GENERATOR = {
    8: (4, 4),
    16: (4, 4, 4),
    32: (4, 4, 4, 4),
    64: (16, 16, 8, 4, 2),
    128: (16, 16, 8, 4, 2, 1),
    256: (16, 16, 8, 8, 4, 2, 1),
    512: (16, 16, 8, 8, 4, 2, 1, 1),
}

# From the image on, with the number of those, the first ones, behind which maps are half as large.
DISCRIMINATOR = {
    8: ((4, 4), 1),
    16: ((4, 4, 4), 2),
    32: ((4, 4, 4, 4), 2),
    64: ((1, 2, 4, 8, 16), 4),
    128: ((1, 2, 4, 8, 16, 16), 5),
    256: ((1, 2, 4, 8, 8, 16, 16), 6),
    512: ((1, 1, 2, 4, 8, 8, 16, 16), 7),
}


@dataclass(frozen=True)
class Plan:
    """Channels of each stage, and the size (H, W) of the smallest maps."""

    widths: list[int]
    smallest: tuple[int, int]


def generator_plan(
    shape: Sequence[int], width: int, multipliers: Sequence[int] | None, published: Mapping[int, Sequence[int]]
) -> Plan:
    """The stages of a generator of images (C, H, W). Raises `UserError` for what does not fit together."""
    side = _side(shape)
    chosen = multipliers or published.get(side)
    if chosen is None:
        raise UserError(_unknown(shape, published, "such as [8, 4, 2, 1] for maps of 6, 12, 24 and 48 pixels"))
    return Plan([width * factor for factor in chosen], _smallest(shape, len(chosen) - 1, "multipliers"))


def discriminator_plan(
    shape: Sequence[int],
    width: int,
    multipliers: Sequence[int] | None,
    halvings: int | None,
    published: Mapping[int, tuple[Sequence[int], int]],
) -> tuple[Plan, int]:
    """The stages of a discriminator, and how many of them, the first ones, halve their maps."""
    side = _side(shape)
    known = published.get(side)
    chosen = multipliers or (known[0] if known else None)
    if chosen is None:
        raise UserError(_unknown(shape, published, "such as [1, 2, 4, 8], with 'halvings'"))
    if halvings is None:
        halvings = known[1] if known else len(chosen) - 1
    if halvings > len(chosen):
        raise UserError(f"'halvings' is {halvings}, and 'multipliers' has {len(chosen)} blocks that could halve maps")
    return Plan([width * factor for factor in chosen], _smallest(shape, halvings, "halvings")), halvings


def sizes_of_attention(chosen: Sequence[int] | None, sizes: Sequence[int], usual: int | None) -> set[int]:
    """The sides of maps with attention, where a network has maps of these `sizes`; by default the usual one.

    Raises `UserError` for a size that the network does not have.
    """
    if chosen is None:
        return {usual} & set(sizes) if usual else set()
    if strangers := sorted(set(chosen) - set(sizes)):
        raise UserError(
            f"'attention' names maps of {strangers[0]} pixels; behind the blocks of this network they have "
            f"{', '.join(map(str, sorted(set(sizes))))}"
        )
    return set(chosen)


def _side(shape: Sequence[int]) -> int:
    if len(shape) != 3:
        raise UserError(f"the networks of this family are for images (channels, height, width), not for {tuple(shape)}")
    return shape[1] if shape[1] == shape[2] else 0


def _unknown(shape: Sequence[int], published: Mapping[int, object], example: str) -> str:
    sizes = ", ".join(map(str, published))
    return (
        f"there is no published network for images of {shape[1]} x {shape[2]} pixels, only for squares of {sizes}: "
        f"give 'multipliers', {example}"
    )


def _smallest(shape: Sequence[int], halvings: int, option: str) -> tuple[int, int]:
    factor = 2**halvings
    height, width = shape[1] // factor, shape[2] // factor
    fits = shape[1] % factor == shape[2] % factor == 0 and min(height, width) >= _SMALLEST
    if not fits or max(height, width) > _LARGEST:
        raise UserError(
            f"'{option}' halves images {halvings} times, and {shape[1]} x {shape[2]} pixels do not become {_SMALLEST} "
            f"to {_LARGEST} by that: the smallest maps of these networks have at most {_LARGEST} pixels a side"
        )
    return height, width
