"""Affine warps of images that keep their sharpness.

The images are sampled at twice their resolution, between filters that cancel each other where nothing moves (Karras et
al., 2020, appendix B). Outside, images are reflected. Offsets are (x, y) in pixels from the centre.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ganlab_augment.bilinear import sample, spread
from ganlab_augment.linear import BothWays
from ganlab_augment.resampling import Axis, axis, axis_blocks

_NUMBERS = 2**18  # of the doubled images at a time: what stays in a processor's cache


class Warp:
    """Images whose pixel at an offset x from the centre shows what was at `inverse` (N, 2, 3) @ (x, 1)."""

    def __init__(self, inverse: Tensor, height: int, width: int) -> None:
        self.inverse = inverse
        key = inverse.dtype, inverse.device
        self.down, self.across = axis(height, *key), axis(width, *key)
        self._down, self._across = axis_blocks(height, *key), axis_blocks(width, *key)

    def apply(self, images: Tensor) -> Tensor:
        """Warped images (N, C, H, W)."""
        return torch.cat([self._apply(images[rows], self._grid(rows)) for rows in self._parts(images)])

    def adjoint(self, gradients: Tensor) -> Tensor:
        """Where gradients (N, C, H, W) of warped images go."""
        return torch.cat([self._adjoint(gradients[rows], self._grid(rows)) for rows in self._parts(gradients)])

    # Between the filters everything is transposed, so that each matrix stands on the left of what it multiplies.

    def _apply(self, images: Tensor, grid: Tensor) -> Tensor:
        fine = self._across.finer @ (self._down.finer @ images).transpose(2, 3)
        return self._down.coarser @ (self._across.coarser @ sample(fine, grid)).transpose(2, 3)

    def _adjoint(self, gradients: Tensor, grid: Tensor) -> Tensor:
        samples = self._across.from_coarser @ (self._down.from_coarser @ gradients).transpose(2, 3)
        fine = spread(samples, grid, len(self.across.finer), len(self.down.finer))
        return self._down.from_finer @ (self._across.from_finer @ fine).transpose(2, 3)

    def _parts(self, images: Tensor) -> Iterator[slice]:
        size = len(images)
        if images.device.type == "cpu":
            size = max(1, _NUMBERS // (images.shape[1] * len(self.down.finer) * len(self.across.finer)))
        yield from (slice(start, start + size) for start in range(0, max(len(images), 1), size))

    def _grid(self, rows: slice) -> Tensor:
        """Places in the transposed fine images (n, across, down, 2), down before across, as `sample` wants them."""
        inverse = self.inverse[rows, :, :, None, None]
        x, y = self.across.offsets()[:, None], self.down.offsets()
        grid = inverse.new_empty(len(inverse), len(x), len(y), 2)
        for row, (of, place) in enumerate(((self.across, 1), (self.down, 0))):
            moved = inverse[:, row, 0] * x + inverse[:, row, 2] + inverse[:, row, 1] * y
            last = len(of.finer) - 1
            torch.add(of.place_in_fine_(moved).mul_(2 / last), -1.0, out=grid[..., place])
        return grid


def aligned_warp(inverse: Tensor, height: int, width: int, *, turned: bool) -> BothWays:
    """The same for inverses that turn nothing, or by quarters (`turned`): one matrix for each axis of each image."""
    down, across = (axis(size, inverse.dtype, inverse.device) for size in (height, width))
    (xx, xy, x), (yx, yy, y) = (row.unbind(1) for row in inverse.unbind(1))
    if turned:
        # Down the result runs what is across the image, and that is down the transposed image.
        return BothWays(_resampler(xy, x, across, down), _resampler(yx, y, down, across), transposed=True)
    return BothWays(_resampler(yy, y, down, down), _resampler(xx, x, across, across))


def _resampler(factors: Tensor, shifts: Tensor, source: Axis, target: Axis) -> Tensor:
    """Matrices (N, 1, target, source) that sample an axis at `factors` (N,) times the target's offsets plus shifts."""
    places = source.place_in_fine_(factors[:, None] * target.offsets() + shifts[:, None])
    first = places.floor().clamp_(0, len(source.finer) - 2)
    share = (places - first)[..., None]
    first = first.long()
    sampled = torch.lerp(source.finer[first], source.finer[first + 1], share)
    return (target.coarser @ sampled)[:, None]
