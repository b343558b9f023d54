"""Handwritten digits for translations: with their outlines, in pairs, and in two colours, unpaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from ganlab.contracts import DataFacts, Dataset
from ganlab.facts import InputFacts
from ganlab_datasets.digits import Digits, Resolution
from ganlab_datasets.in_memory import InMemory, content_fingerprint

INK, GROUND = (20, 30, 140), (250, 210, 60)  # dark blue on yellow
_HALF = 128


class DigitOutlines:
    """Digits, whose input `source` is their outline: pairs, with the digits' classes.

    Args:
        resolution: side of an image, a power of two of at least 8.
    """

    def __init__(self, resolution: Resolution = 32) -> None:
        self._digits = Digits(resolution)
        self._outlines = outlines(self._digits.images)
        facts = self._digits.facts
        self.facts: DataFacts = replace(
            facts,
            fingerprint=content_fingerprint("outlines", self._digits.images, self._outlines),
            inputs={"source": InputFacts(facts.shape, "images")},
        )

    def __len__(self) -> int:
        return len(self._digits)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {**self._digits[index], "source": self._outlines[index]}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        return {**self._digits.take(indices), "source": self._outlines[torch.as_tensor(indices)]}

    def every_label(self) -> Tensor | None:
        """The classes of all digits."""
        return self._digits.labels


class DigitColours(InMemory):
    """The first half of the digits, dark blue on yellow; the domain `grey` has the others, white on black.

    No digit is in both, so that nothing is paired. `coloured(images)` is what the translation of grey ones should be.

    Args:
        resolution: side of an image, a power of two of at least 8.
    """

    def __init__(self, resolution: Resolution = 32) -> None:
        digits = Digits(resolution)
        assert digits.labels is not None
        middle = len(digits) // 2
        images, labels = coloured(digits.images[:middle]), digits.labels[:middle]
        facts = replace(digits.facts, shape=(3, *digits.facts.shape[1:]), size=middle, extras={"domain": "coloured"})
        super().__init__(images, labels, replace(facts, fingerprint=content_fingerprint("coloured", images, labels)))
        grey = (digits.images[middle:], digits.labels[middle:])
        name = content_fingerprint("grey", *grey)
        of_grey = replace(digits.facts, size=len(grey[0]), fingerprint=name, extras={"domain": "grey"})
        self.further: Mapping[str, Dataset] = {"grey": InMemory(*grey, of_grey)}


def outlines(images: Tensor) -> Tensor:
    """The pixels of grey images (N, 1, H, W) at whose side a bright stroke ends, in white, as bytes."""
    stroke = (images >= _HALF).float()
    edge = (max_pool2d(stroke, 3, 1, 1) - stroke).bool()
    return edge.to(torch.uint8) * 255


def coloured(images: Tensor) -> Tensor:
    """Grey images (N, 1, H, W) in bytes with ink where they are white, and the ground's colour where they are black."""
    ink, ground = (torch.tensor(colour, dtype=torch.float32).view(1, 3, 1, 1) for colour in (INK, GROUND))
    shares = images.float() / 255
    return (ground + shares * (ink - ground)).round().to(torch.uint8)
