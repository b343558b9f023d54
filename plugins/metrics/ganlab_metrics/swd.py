"""Sliced Wasserstein distance of patches over a Laplacian pyramid (Karras et al. 2018, ProGAN)."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import UserError
from ganlab.bounds import Examples, Seed, Steps
from ganlab_metrics.descriptors import PATCH, DescriptorSet, Room
from ganlab_metrics.laplacian_pyramid import laplacian_pyramid, level_sizes
from ganlab_metrics.wasserstein import wasserstein_distances

_AT_A_TIME = 32  # directions; bounds the memory of projections


class SlicedWassersteinDistance:
    """Distance times 1000 on each level, named by its resolution, finest first, and their `average`.

    Levels go down to `coarsest` pixels, 16 in the paper. On each one, `patches` random 7 x 7 patches of every image
    become descriptors; reals and fakes are normalised separately for each channel; the distance is the mean over
    `repeats` times `directions` random directions of the Wasserstein distance between the projections, exact for
    unequal numbers of images, too. Patches and directions follow from `seed`. Two sets of reals do not have the
    distance 0: compare with what they have.

    Args:
        shape: shape of the images.
        patches: descriptors of each image and level.
        repeats: rounds of directions.
        directions: directions of each round.
        seed: Seed of patches and directions.
        cache_mib: the reals' sorted projections are kept, which saves their work in all later evaluations, if they take
            at most so many MiB together.
        images: how many images of each side count; null for all that are shown.
        coarsest: side of the last level in pixels.
        memory_mib: MiB of memory for descriptors; those beyond it lie in temporary files, which is slower and gives the
            same numbers. They take 196 bytes times channels times patches times images for each level and side: of the
            published 16,384 RGB images 1.2 GB, and 17 GB for all of 1024 pixels.
    """

    higher_is_better: ClassVar[bool] = False

    def __init__(
        self,
        shape: tuple[int, ...],
        patches: Annotated[int, Ge(1), Le(10_000)] = 128,
        repeats: Steps = 4,
        directions: Annotated[int, Ge(1), Le(10_000)] = 128,
        seed: Seed = 0,
        cache_mib: Annotated[int, Ge(0), Le(10_000_000)] = 1024,
        images: Examples | None = None,
        coarsest: Annotated[int, Ge(PATCH), Le(16_384)] = 16,
        memory_mib: Annotated[int, Ge(0), Le(10_000_000)] = 4096,
    ) -> None:
        _check_shape(shape)
        self.channels = shape[0]
        self.sizes = level_sizes(*shape[1:], coarsest)
        self.patches = patches
        self.directions = repeats * directions
        self.seed = seed
        self.cache_bytes = cache_mib * 2**20
        self.images = images
        self.bytes_a_side = memory_mib * 2**20 // 2
        self.protocol = {"patches": patches, "directions": self.directions, "metric_seed": seed}
        if coarsest != 16:
            self.protocol["coarsest"] = coarsest
        if images is not None:
            self.protocol["images"] = images
        self._reals = self._empty(real=True)
        self._cache: dict[tuple[int, int], np.ndarray] = {}
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show uint8 images (N, C, H, W)."""
        assert not (real and self._cache), "all reals come before the first compute"
        sets = self._reals if real else self._fakes
        if self.images is not None:
            images = images[: self.images - len(sets[0]) // self.patches]
        if not len(images):
            return
        levels = laplacian_pyramid(images.float(), len(self.sizes))
        for level, descriptors in zip(levels, sets, strict=True):
            descriptors.add(level, self.patches)

    def compute(self) -> dict[str, float]:
        """The distances of the fakes since the last reset."""
        if not (len(self._reals[0]) and len(self._fakes[0])):
            raise ValueError("the sliced Wasserstein distance needs at least one real and one fake")
        distances = {_name(size): self._distance(level) for level, size in enumerate(self.sizes)}
        return {**distances, "average": sum(distances.values()) / len(distances)}

    def reset(self) -> None:
        """Forget the fakes."""
        self._fakes = self._empty(real=False)

    def _distance(self, level: int) -> float:
        directions = self._unit_vectors(level)
        total = 0.0
        for start in range(0, self.directions, _AT_A_TIME):
            some = directions[start : start + _AT_A_TIME]
            reals = self._real_projections(level, start, some)
            total += float(wasserstein_distances(reals, self._fakes[level].project(some)).sum())
        return 1000 * total / self.directions

    def _real_projections(self, level: int, start: int, directions: Tensor) -> np.ndarray:
        key = (level, start)
        if key in self._cache:
            return self._cache[key]
        projections = self._reals[level].project(directions)
        if len(self.sizes) * self.directions * projections.shape[1] * projections.itemsize <= self.cache_bytes:
            self._cache[key] = projections
        return projections

    def _unit_vectors(self, level: int) -> Tensor:
        random = np.random.default_rng([self.seed, level, 2])
        vectors = random.standard_normal((self.directions, self.channels * PATCH * PATCH))
        return torch.from_numpy(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def _empty(self, *, real: bool) -> list[DescriptorSet]:
        room = Room(self.bytes_a_side)
        return [DescriptorSet(self.channels, room, self.seed, level, int(real)) for level in range(len(self.sizes))]


def _check_shape(shape: tuple[int, ...]) -> None:
    if len(shape) != 3:
        raise UserError(f"swd compares images; these data are vectors of {math.prod(shape)} numbers: leave it out")
    if min(shape[1:]) < PATCH:
        raise UserError(
            f"swd cuts patches of {PATCH} x {PATCH} pixels; images of {shape[1]} x {shape[2]} are too small for it"
        )


def _name(size: tuple[int, int]) -> str:
    height, width = size
    return str(height) if height == width else f"{height}x{width}"
