"""The change of an image that a discriminator should not mind."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.randomness import Randomness


class FlipAndShift:
    """Mirrors every other image on average and shifts each by up to 1/8 of its side, edges reflected: T of CR."""

    def __call__(self, images: Tensor, random: Randomness) -> Tensor:
        """Images (N, C, H, W), each with draws of its own."""
        height, width = images.shape[2:]
        mirrored = (random.uniform("flip") < 0.5)[:, None]
        rows = _shifted(height, random.uniform("rows"))
        columns = _shifted(width, random.uniform("columns"))
        columns = torch.where(mirrored, columns.flip(1), columns)
        image = torch.arange(len(images), device=images.device)[:, None, None]
        # Indices beside a slice come first: (N, H, W, C).
        return images[image, :, rows[:, :, None], columns[:, None, :]].movedim(-1, 1)


def _shifted(size: int, fraction: Tensor) -> Tensor:
    """For each image the places (N, size) to read from, so that it is shifted and reflected at its edges."""
    largest = size // 8
    shift = (fraction * (2 * largest + 1)).long() - largest
    places = (torch.arange(size, device=shift.device) + shift[:, None]).abs()
    return size - 1 - (size - 1 - places).abs()
