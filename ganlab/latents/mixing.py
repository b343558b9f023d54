"""Style mixing: the layers of one image with some layers of another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.references import Given
from ganlab.latents.space import Points, Space
from ganlab.latents.strip import Strip, with_margins
from ganlab.suggestions import did_you_mean

GROUPS = ("coarse", "middle", "fine")
_PUBLISHED = (4, 8)  # layers before the middle and before the fine ones
_LEAST = 10  # layers, those of 64 pixels, from which on these hold
_PLACES = re.compile(r"(\d+)(?:-(\d+))?")


def mix(
    generator: TrainedGenerator,
    rows: Given,
    columns: Given,
    layers: str,
    *,
    label: str | None = None,
    noise_seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Strip:
    """A grid of images: those of the rows, at the left, with some layers' styles from those of the columns, above.

    `layers` are `coarse`, `middle`, `fine`, or numbers from 0 as in `0-3`. (Karras et al., 2019, figure 3.) Raises
    `UserError` for a generator without styles and for layers that there are not.
    """
    space = Space(generator, "w", options, noise_seed)
    left, top = space.at(rows, label), space.at(columns, label)
    chosen = layers_of(layers, space.styled.style_layers())
    styles = left.values[:, None].repeat(1, len(top), 1, 1)
    styles[:, :, chosen] = top.values[None, :, chosen]
    mixed = space.images(Points(styles.flatten(0, 1))).unflatten(0, (len(left), len(top)))  # type: ignore[no-untyped-call]
    grid = with_margins(mixed, space.images(left), space.images(top))
    return Strip(grid, ["", *left.names], [layers, *top.names])


def layers_of(text: str, layers: int) -> list[int]:
    """The numbers of the layers of a group or range, such as `coarse`, `5`, `0-3` or `0-1,6`, of so many layers.

    The groups are the levels of 4 and 8 pixels, of 16 and 32, and the others, as published; of less than ten layers
    (32 pixels), thirds. Raises `UserError` for others.
    """
    first, second = _bounds(layers)
    groups = {"coarse": range(first), "middle": range(first, second), "fine": range(second, layers)}
    if text in groups:
        if not groups[text]:
            raise UserError(f"there are no {text} layers: the generator has {layers} in all; name them, as in 0-1")
        return list(groups[text])
    chosen: list[int] = []
    for part in text.split(","):
        found = _PLACES.fullmatch(part.strip())
        if not found:
            raise UserError(
                f"'{part}' names no layers: give {', '.join(GROUPS)}, or numbers as in 0-3{did_you_mean(part, GROUPS)}"
            )
        chosen += range(int(found[1]), int(found[2] or found[1]) + 1)
    if not chosen or max(chosen) >= layers:
        raise UserError(f"'{text}' names layers that there are not: the generator has the layers 0 to {layers - 1}")
    return sorted(set(chosen))


def _bounds(layers: int) -> tuple[int, int]:
    """Where the middle and the fine layers start; two layers belong to a level."""
    if layers >= _LEAST:
        return _PUBLISHED
    levels = layers / 2
    return 2 * round(levels / 3), 2 * round(2 * levels / 3)
