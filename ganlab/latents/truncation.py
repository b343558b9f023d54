"""The same samples at a row of values of a sampling option, such as of truncation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.references import Given
from ganlab.latents.space import Space
from ganlab.latents.strip import Strip
from ganlab.spec.sampling import unknown_option

USUAL = ("psi", "truncation")
"""The names that architectures give to their truncation."""


def compare_values(
    generator: TrainedGenerator,
    given: Given,
    values: Sequence[Any],
    *,
    option: str | None = None,
    label: str | None = None,
    noise_seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Strip:
    """A row of images for each reference to latents, at each value of a sampling option, by default its truncation.

    Raises `UserError` for an option that the architecture does not have.
    """
    name = option or truncation_of(generator)
    if name not in generator.options:
        raise UserError(unknown_option(type(generator.module), name))
    points = Space(generator, "z", options, noise_seed).at(given, label)
    columns = [Space(generator, "z", {**(options or {}), name: value}, noise_seed).images(points) for value in values]
    return Strip(torch.stack(columns, dim=1), points.names, [f"{name} {value}" for value in values])


def truncation_of(generator: TrainedGenerator) -> str:
    """The sampling option that truncates. Raises `UserError` if there is none."""
    for name in USUAL:
        if name in generator.options:
            return name
    listed = ", ".join(generator.options) or "none"
    raise UserError(
        f"{type(generator.module).__name__} has no truncation; its sampling options: {listed}; --option shows another"
    )
