"""What the platform knows of data, and passes to whoever asks for it; imports nothing heavy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DataFacts:
    """What a data set says of itself; constructors receive these facts instead of having them retyped.

    `shape` is (C, H, W) for images and (D,) for vectors, `value_range` the stored values that become -1 and 1,
    `class_names` has one entry a class and is empty for data without labels, `fingerprint` identifies content and
    preparation, `extras` holds what only some plugins understand (such as the centres of a mixture).
    """

    shape: tuple[int, ...]
    size: int
    fingerprint: str
    value_range: tuple[float, float] = (0.0, 255.0)
    class_names: tuple[str, ...] = ()
    extras: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_images(self) -> bool:
        """Whether one example is an image (C, H, W) and not a vector (D,)."""
        return len(self.shape) == 3

    @property
    def channels(self) -> int | None:
        """Channels of an image; None for vectors."""
        return self.shape[0] if self.is_images else None

    @property
    def resolution(self) -> int | None:
        """Side of a square image in pixels; None for other data."""
        return self.shape[1] if self.is_images and self.shape[1] == self.shape[2] else None

    @property
    def dimensions(self) -> int:
        """Numbers in one example."""
        return math.prod(self.shape)

    @property
    def classes(self) -> int:
        """Number of classes; 0 for data without labels."""
        return len(self.class_names)


INJECTED_FACTS = ("facts", "shape", "channels", "resolution", "dimensions", "classes")
"""Constructor arguments with these names receive the data's facts (`facts` is the whole `DataFacts`)."""
