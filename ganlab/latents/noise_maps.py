"""Noise of layers while it is optimised: it has to stay noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

_COARSEST = 8  # pixels of a side, down to which the correlation is looked at


def noise_penalty(maps: Sequence[Tensor]) -> Tensor:
    """How much noise maps (1, 1, H, W) go with themselves, a pixel further on: 0 for white noise on average.

    Squared mean products of neighbours along both axes, summed over maps and over their scales (Karras et al., 2020,
    appendix D).
    """
    squares = [
        (scale * scale.roll(1, dims=axis)).mean().square()
        for part in maps
        for scale in _scales(part)
        for axis in (2, 3)
    ]
    return torch.stack(squares).sum() if squares else torch.zeros(())


def _scales(noise: Tensor) -> Iterator[Tensor]:
    """The map, then means of 2 x 2 pixels times two, which have the variance of white noise again."""
    yield noise
    while min(noise.shape[2:]) > _COARSEST:
        noise = avg_pool2d(noise, 2) * 2
        yield noise


@torch.no_grad()
def normalise(maps: Sequence[Tensor]) -> None:
    """Give maps the mean 0 and the mean square 1."""
    for part in maps:
        part -= part.mean()
        part *= torch.rsqrt(part.square().mean().clamp_min(torch.finfo(part.dtype).tiny))
