"""Images of several sizes in one vector, so that a game's losses and penalties see one point of all sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganlab.nn import average_pool
from ganlab.nn.memory_order import channels_last
from ganlab_style.levels import Level


class Pyramid:
    """The images of all levels; the coarsest first, in lists as in vectors."""

    def __init__(self, levels: Sequence[Level], channels: int) -> None:
        self.shapes = [(channels, level.height, level.width) for level in levels]
        self.part_sizes = tuple(channels * level.height * level.width for level in levels)

    def of(self, images: Tensor) -> Tensor:
        """The vectors (N, numbers) of images (N, C, H, W): each size is the mean of four pixels of the next."""
        sizes = [images]
        for _ in self.shapes[1:]:
            sizes.insert(0, average_pool(sizes[0]))
        return self.pack(sizes)

    def pack(self, sizes: Sequence[Tensor]) -> Tensor:
        """The vectors (N, numbers) of the images of all sizes."""
        return torch.cat([images.flatten(1) for images in sizes], dim=1)

    def unpack(self, vectors: Tensor) -> list[Tensor]:
        """The images (N, C, h, w) of all sizes of vectors."""
        parts = vectors.split(self.part_sizes, dim=1)
        return [channels_last(part.unflatten(1, shape)) for part, shape in zip(parts, self.shapes, strict=True)]
