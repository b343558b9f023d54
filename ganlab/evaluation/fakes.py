"""The fakes of an evaluation, with what belongs to each, made by all ranks and shown by the first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganlab.distributed import gather_in_order, rank, world_size
from ganlab.evaluation.quantise import for_metrics, labels_of_frames
from ganlab.evaluation.sampling import sample_blocks
from ganlab.evaluation.source import Source
from ganlab.training.module import GANModule


@dataclass(frozen=True)
class Fakes:
    """Consecutive fakes, the first of which is number `first`, as metrics see them: sequences of `frames` each."""

    first: int
    images: Tensor
    labels: Tensor | None
    frames: int = 1

    @property
    def numbers(self) -> range:
        """Which samples they are."""
        return range(self.first, self.first + len(self.images) // self.frames)


def fake_blocks(
    module: GANModule,
    samples: int,
    seed: int,
    batch_size: int,
    source: Source | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Fakes]:
    """All fakes in order, on rank 0; on the others nothing but their share of the work. A collective.

    With a `source`, they are made for its examples, of which they have the labels. `batch_size` are made at a time.
    """
    frames = max(1, module.facts.frames)
    size = min(batch_size, samples)  # whatever the number of ranks, which must not change even the rounding
    for turn in range(math.ceil(samples / (size * world_size()))):
        start = turn * size * world_size()
        images, labels = _made(module, seed, start + rank() * size, size, source, options)
        gathered_labels = gather_in_order(labels) if labels is not None else None
        for index, block in enumerate(gather_in_order(images)):
            first = start + index * size
            kept = slice(0, max(samples - first, 0) * frames)
            labels = None if gathered_labels is None else gathered_labels[index][kept]
            if len(block[kept]):
                yield Fakes(first, block[kept], labels, frames)


def _made(
    module: GANModule, seed: int, first: int, size: int, source: Source | None, options: Mapping[str, Any] | None
) -> tuple[Tensor, Tensor | None]:
    pieces = list(sample_blocks(module, size, seed, source=source, options=options, first=first, batch_size=size))
    images = torch.cat([for_metrics(samples, module.facts) for samples, _ in pieces])
    labels = [drawn for _, drawn in pieces if drawn is not None]
    return images, labels_of_frames(torch.cat(labels), module.facts) if labels else None
