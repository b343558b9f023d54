"""What metrics and files see of samples and reals: bytes for images, stored units for vectors."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.data.scaling import scale, to_bytes

BYTES = (0.0, 255.0)


def for_metrics(samples: Tensor, facts: DataFacts) -> Tensor:
    """Samples in [-1, 1] as uint8 images, rounded and clipped, or as float32 vectors in the data's own units.

    Sequences (N, T, C, H, W) are measured frame by frame: they become (N * T, C, H, W).
    """
    return to_bytes(frames_of(samples, facts)) if facts.is_images else unscale(samples.float(), facts.value_range)


def frames_of(examples: Tensor, facts: DataFacts) -> Tensor:
    """The images of sequences one after the other; other examples as they are."""
    return examples.flatten(0, 1) if facts.frames else examples


def labels_of_frames(labels: Tensor | None, facts: DataFacts) -> Tensor | None:
    """The label of each image that `frames_of` gives."""
    return labels.repeat_interleave(facts.frames) if labels is not None and facts.frames else labels


def reals_for_metrics(stored: Tensor, facts: DataFacts) -> Tensor:
    """Stored examples in the form that `for_metrics` gives samples; bytes stay as they are."""
    if not facts.is_images:
        return stored.float()
    stored = frames_of(stored, facts)
    if stored.dtype == torch.uint8 and facts.value_range == BYTES:
        return stored
    return to_bytes(scale(stored, facts.value_range))


def for_files(samples: Tensor, facts: DataFacts) -> Tensor:
    """Samples in [-1, 1] as files keep them: uint16 for data with more than 256 grey levels, else as for metrics.

    Sequences stay sequences.
    """
    low, high = facts.value_range
    if facts.is_images and low == 0 and high > BYTES[1]:
        return unscale(samples.double(), facts.value_range).round().clamp(low, min(high, 65535)).to(torch.uint16)
    return to_bytes(samples) if facts.is_images else for_metrics(samples, facts)


def unscale(samples: Tensor, value_range: tuple[float, float]) -> Tensor:
    """[-1, 1] back to the stored range: the inverse of `ganlab.data.scaling.scale`."""
    low, high = value_range
    if (low, high) == (-1.0, 1.0):
        return samples
    return samples * ((high - low) / 2) + (low + high) / 2
