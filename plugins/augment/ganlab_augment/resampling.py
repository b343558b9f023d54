"""What every warp does along one axis: to twice the resolution and back, between filters that cancel each other."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganlab_augment.banded import Blocks, banded
from ganlab_augment.reflection import folded
from ganlab_augment.wavelets import SYMLET_6, centre

_TAPS = len(SYMLET_6)
_CENTRE = centre(SYMLET_6)
_BEYOND = _TAPS // 4  # pixels outside of the image that its own edge pixels reach through the filter
_MARGIN = _BEYOND + _TAPS // 2 - 1  # every sample up to there is made of all the pixels that it needs


@dataclass(frozen=True)
class Axis:
    """An image's axis of `size` pixels: `finer` (F, size) doubles it, reflected outside; `coarser` (size, S) halves."""

    size: int
    finer: Tensor
    coarser: Tensor

    def offsets(self) -> Tensor:
        """Offsets (S,) from the centre, in pixels, of the samples that halving needs."""
        samples = torch.arange(self.coarser.shape[1], device=self.finer.device, dtype=self.finer.dtype)
        return (samples - _CENTRE) / 2 - (self.size - 1) / 2

    def place_in_fine_(self, offsets: Tensor) -> Tensor:
        """Where offsets from the centre lie on the doubled axis, in its samples; those too far outside are folded.

        The argument is overwritten. Nothing here needs `torch.where`, which takes the time of many additions.
        """
        last = self.size - 1
        places = offsets.add_(last / 2)
        if last == 0:
            return places.zero_().add_(2 * _MARGIN + _CENTRE)
        outside = (places - last / 2).abs_().sub_(last / 2 + _BEYOND).sign_().clamp_min_(0)
        periods = (places / (2 * last)).round_()
        inside = periods.mul_(-2 * last).add_(places).abs_()
        return places.lerp_(inside, outside).add_(_MARGIN).mul_(2).add_(_CENTRE)


@functools.lru_cache(maxsize=64)
def axis(size: int, dtype: torch.dtype, device: torch.device) -> Axis:
    """The matrices of an axis, made once."""
    taps = torch.tensor(SYMLET_6, dtype=torch.float64, device="cpu")
    reflected = folded(torch.arange(-_MARGIN, size + _MARGIN, device="cpu"), size)
    doubled = banded(taps * math.sqrt(2), size + 2 * _MARGIN, 2).t()
    beyond = torch.eye(size, dtype=torch.float64, device="cpu")[reflected]
    matrices = (doubled @ beyond, banded(taps / math.sqrt(2), size, 2))
    finer, coarser = (matrix.to(device=device, dtype=dtype) for matrix in matrices)
    return Axis(size, finer, coarser)


@dataclass(frozen=True)
class AxisBlocks:
    """The matrices of an axis and their transposes, in blocks."""

    finer: Blocks
    coarser: Blocks
    from_finer: Blocks
    from_coarser: Blocks


@functools.lru_cache(maxsize=64)
def axis_blocks(size: int, dtype: torch.dtype, device: torch.device) -> AxisBlocks:
    """Blocks for products with many images."""
    of = axis(size, dtype, device)
    return AxisBlocks(Blocks(of.finer), Blocks(of.coarser), Blocks(of.finer.t()), Blocks(of.coarser.t()))
