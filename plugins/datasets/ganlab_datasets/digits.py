"""The handwritten digits that ship with scikit-learn: real data without a download."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Le
from PIL import Image

from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab_datasets.in_memory import InMemory, content_fingerprint

_STORED_RESOLUTION = 8
_STORED_MAXIMUM = 16.0
Resolution = Annotated[int, Ge(8), Le(64)]
"""A power of two, up to which copies in colour fit into memory."""


class Digits(InMemory):
    """1,797 handwritten digits in ten classes, grey, from the UCI repository by way of scikit-learn.

    They are stored at 8x8 in 17 shades; `resolution` is a power of two of at least 8, to which they are enlarged
    with Lanczos' filter.
    """

    def __init__(self, resolution: Annotated[int, Ge(8), Le(256)] = 16) -> None:
        if resolution < _STORED_RESOLUTION or resolution & (resolution - 1):
            raise DataError(
                f"'resolution' of digits is a power of two of at least 8 (8, 16, 32, ...), not {resolution}"
            )
        from sklearn.datasets import load_digits

        pixels, classes = load_digits(return_X_y=True)
        stored = pixels.reshape(-1, _STORED_RESOLUTION, _STORED_RESOLUTION).astype(np.float32) / _STORED_MAXIMUM
        images = torch.from_numpy(np.stack([_enlarged(image, resolution) for image in stored]))[:, None]
        labels = torch.from_numpy(classes).long()
        facts = DataFacts(
            shape=(1, resolution, resolution),
            size=len(images),
            fingerprint=content_fingerprint("digits", images, labels),
            class_names=tuple(str(digit) for digit in range(10)),
        )
        super().__init__(images, labels, facts)


def _enlarged(image: np.ndarray, resolution: int) -> np.ndarray:
    """A float image (8, 8) in [0, 1] as bytes at `resolution`."""
    # In floats, so that the filter's overshoot is cut once, after all 17 shades have been used.
    large = Image.fromarray(image).resize((resolution, resolution), Image.Resampling.LANCZOS)
    return np.clip(np.asarray(large) * 255 + 0.5, 0, 255).astype(np.uint8)
