"""Random walks through the noise, around the noise that a picture is reconstructed from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab import Randomness
from ganlab_singan.pyramid import GeneratorPyramid, enlarged
from ganlab_singan.requests import check_pixels, check_start
from ganlab_singan.scales import Size, resized

_FIRST_STEP = 0.05  # of fresh noise, from the reconstruction's


@dataclass(frozen=True)
class Walk:
    """The options of `SinGAN.animate`, with the last scale that has been trained and the sizes of all.

    From the places z_(t-1) and z_(t-2) and fresh noise u, a walk goes to
    stay * z* + (1 - stay) * (z_(t-1) + smoothness * (z_(t-1) - z_(t-2)) + (1 - smoothness) * u), where z* is the
    reconstruction's noise (supplementary of Shaham et al., 2019).
    """

    start: int
    size: Size | None
    stay: float
    smoothness: float
    trained: int
    sizes: tuple[Size, ...]

    def __call__(self, pyramid: GeneratorPyramid, random: Randomness, frames: int) -> Tensor:
        """The frames (frames, C, H, W) of one walk, for a single row of random numbers."""
        start = check_start(self.start, self.trained)
        finest = self.size or self.sizes[-1]
        check_pixels(finest)
        sizes = self.sizes if self.size is None else resized(self.sizes, self.size)
        shapes = pyramid.noise_shapes(self.trained + 1, sizes)
        noise = []
        for scale in range(start, self.trained + 1):
            still = pyramid.fixed.new_zeros(shapes[scale])
            if scale == 0:
                still = enlarged(pyramid.fixed, sizes[0])[0]
            noise.append(torch.stack(list(self._places(still, random.scoped("walk", scale), frames))))
        below = None if start == 0 else pyramid.reconstruction(start - 1).expand(frames, -1, -1, -1)
        return enlarged(pyramid.in_pieces(noise, below, start), finest)

    def _places(self, still: Tensor, random: Randomness, frames: int) -> Iterator[Tensor]:
        before = still
        fresh = random.scoped("first").normal("noise", *still.shape)[0].to(still)
        place = torch.lerp(still, fresh, _FIRST_STEP)
        for frame in range(frames):
            fresh = random.scoped(frame).normal("noise", *still.shape)[0].to(still)
            step = self.smoothness * (place - before) + (1 - self.smoothness) * fresh
            before, place = place, torch.lerp(place + step, still, self.stay)
            yield place
