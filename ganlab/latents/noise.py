"""What the noise of layers does: images with all of it, some or none, and how much pixels vary with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.references import Given
from ganlab.latents.space import Points, Space
from ganlab.latents.strip import Strip

OPTION = "noise"
"""The sampling option of architectures that can leave noise out, with a choice of words."""


def compare_noise(
    generator: TrainedGenerator,
    given: Given,
    *,
    draws: int = 32,
    label: str | None = None,
    noise_seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Strip:
    """Images of latents with each choice of the option `noise`, and the standard deviation of pixels over the noise.

    The last column shows the deviation over `draws` draws of all noise, averaged over channels: black for none, white
    for the largest in the row's image. (Karras et al., 2019, figures 4 and 5.) Raises `UserError` for an architecture
    without the option.
    """
    choices = choices_of(generator)
    points = Space(generator, "z", options, noise_seed).at(given, label)
    columns = [
        Space(generator, "z", {**(options or {}), OPTION: choice}, noise_seed).images(points) for choice in choices
    ]
    deviations = deviation(generator, points, draws, noise_seed, {**(options or {}), OPTION: choices[0]})
    largest = deviations.amax((1, 2, 3), keepdim=True).clamp_min(torch.finfo(deviations.dtype).tiny)
    shown = (deviations / largest * 2 - 1).expand_as(columns[0])
    return Strip(torch.stack([*columns, shown], dim=1), points.names, [*choices, "deviation"])


def choices_of(generator: TrainedGenerator) -> tuple[str, ...]:
    """The choices of the option `noise`, the first of which is all of it."""
    option = generator.options.get(OPTION)
    if option is None or not get_args(option.annotation):
        listed = ", ".join(generator.options) or "none"
        raise UserError(
            f"{type(generator.module).__name__} has no sampling option '{OPTION}' that leaves noise out; it has: "
            f"{listed}"
        )
    return get_args(option.annotation)


def deviation(
    generator: TrainedGenerator, points: Points, draws: int, first_seed: int, options: Mapping[str, Any]
) -> Tensor:
    """The standard deviation (N, 1, H, W) of pixels over the noise of so many samples, as a mean over channels."""
    mean = squares = torch.zeros((), dtype=torch.float64, device=generator.device)
    for count, seed in enumerate(range(first_seed, first_seed + draws), start=1):  # Welford: no image is kept
        images = Space(generator, "z", options, seed).images(points).double()
        change = images - mean
        mean = mean + change / count
        squares = squares + change * (images - mean)
    return (squares / (draws - 1)).sqrt().mean(1, keepdim=True).to(torch.get_default_dtype())
