"""Three handwritten digits in three channels: 1,000 modes that a classifier of digits can count."""

from __future__ import annotations

from typing import Annotated

import torch
from annotated_types import Ge, Le

from ganlab.bounds import Seed
from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab_datasets.digits import Digits, Resolution
from ganlab_datasets.in_memory import InMemory, content_fingerprint

_CHANNELS = 3


class StackedDigits(InMemory):
    """Images (3, resolution, resolution) whose channels are digits of scikit-learn, each drawn by itself.

    The 1,000 numbers from 000 to 999 are the modes, with nearly equal shares, as in the stacked MNIST of unrolled
    GANs (Metz et al., 2017). `size` images are drawn once, from `seed`; `resolution` is that of `digits`. There are no
    labels: the modes are to be found. `facts.extras` holds `stacked_digits`, the number of digits in an image.
    """

    def __init__(
        self, resolution: Resolution = 16, size: Annotated[int, Ge(1), Le(500_000)] = 50_000, seed: Seed = 0
    ) -> None:
        if size < 1:
            raise DataError("'size' of stacked_digits is above 0")
        digits = Digits(resolution)
        generator = torch.Generator().manual_seed(seed)
        chosen = torch.randint(len(digits), (size, _CHANNELS), generator=generator)
        images = digits.images[chosen, 0]
        facts = DataFacts(
            shape=tuple(images.shape[1:]),
            size=size,
            fingerprint=content_fingerprint("stacked_digits", images),
            extras={"stacked_digits": _CHANNELS},
        )
        super().__init__(images, None, facts)
