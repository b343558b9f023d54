"""Samples that move by themselves, of architectures that say how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import WithMotion
from ganlab.errors import UserError
from ganlab.evaluation.sampling import at_rest
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.randomness import derive_seed, layer_draws, of_samples
from ganlab.spec.sampling import FILMS, check_sampling


def animated(
    generator: TrainedGenerator, seeds: Sequence[int], frames: int, options: Mapping[str, Any] | None = None
) -> Tensor:
    """A film (N, frames, C, H, W) in [-1, 1] of each of the seeds.

    `options` are the keyword arguments of the architecture's `animate`. Raises `UserError` for an architecture whose
    samples do not move (see `ganlab.WithMotion`), and for options that it does not have.
    """
    module = generator.module
    if not isinstance(module, WithMotion):
        raise UserError(
            f"samples of {type(module).__name__} do not move by themselves; 'ganlab interpolate' makes films of the "
            "way between latents"
        )
    checked = check_sampling(type(module), options or {}, FILMS)
    films = []
    for seed in seeds:
        random = of_samples(seed, 1, generator.device)
        with at_rest(module, derive_seed(seed, "animation")), layer_draws(random.scoped("layers")):
            films.append(module.animate(random, frames, averaged=True, **checked))
    return torch.cat(films)
