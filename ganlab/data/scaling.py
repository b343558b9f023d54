"""Stored values to the networks' [-1, 1] and back to bytes."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.facts import InputFacts


def scale(stored: Tensor, value_range: tuple[float, float], dtype: torch.dtype | None = None) -> Tensor:
    """Stored values as floats, with `value_range` mapped to [-1, 1]: x / 127.5 - 1 for bytes.

    Written as (x - middle) / half, which rounds once only, and is the identity for the range (-1, 1).
    """
    low, high = value_range
    numbers = stored.to(dtype or torch.get_default_dtype())
    if (low, high) == (-1.0, 1.0):
        return numbers
    return (numbers - (low + high) / 2) / ((high - low) / 2)


def scale_input(stored: Tensor, facts: InputFacts | None) -> Tensor:
    """A further field as networks get it: images in [-1, 1], maps as int64, numbers as floats.

    One that no facts tell of arrives as it is stored.
    """
    if facts is None:
        return stored
    if facts.kind == "images":
        return scale(stored, facts.value_range)
    return stored.to(torch.int64 if facts.kind == "maps" else torch.get_default_dtype())


def to_bytes(images: Tensor) -> Tensor:
    """Images in [-1, 1] as uint8, rounded to the nearest; `scale` undoes it exactly for bytes."""
    return (images.float() * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
