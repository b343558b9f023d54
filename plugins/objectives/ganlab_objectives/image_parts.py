"""Images that consist of several: a game whose discriminator judges several sizes of an image together.

Such a game shows regularizers its images as vectors (N, numbers), and offers the view `part_sizes`: how many of the
numbers belong to each size.
"""

from __future__ import annotations

from torch import Tensor

from ganlab.contracts import Views


def part_count(views: Views) -> int:
    """How many images an image consists of."""
    return len(views.part_sizes) if "part_sizes" in views else 1


def by_part(values: Tensor, views: Views) -> list[Tensor]:
    """What belongs to images (N, ...), for each of the images that they consist of."""
    return list(values.split(views.part_sizes, dim=1)) if "part_sizes" in views else [values]
