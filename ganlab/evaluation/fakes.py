"""The fakes of an evaluation, with what belongs to each, made by all ranks and shown by the first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.distributed import gather_in_order, rank, world_size
from ganlab.evaluation.quantise import for_metrics, labels_of_frames
from ganlab.evaluation.reals import read_reals
from ganlab.evaluation.sampling import sample_blocks
from ganlab.evaluation.source import Source
from ganlab.training.module import GANModule

Precision = Literal["float32", "bf16"]
"""What networks compute fakes in: their own numbers, or bfloat16 where torch's autocast allows it."""


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


Make = Callable[[int, int], tuple[Tensor, Tensor | None]]
"""Makes so many fakes from a number on, as metrics see them, with their labels."""


@dataclass(frozen=True)
class Fakery:
    """How the fakes of an evaluation are made, each by its number alone."""

    make: Make
    samples: int
    batch_size: int
    frames: int = 1

    def blocks(self, own: Callable[[Tensor, Tensor | None, int], None], gather: bool) -> Iterator[Fakes]:
        """All fakes in order, on rank 0, if they are to be gathered; on the others nothing. A collective.

        Each rank shows what it makes itself to `own`, with the number of fakes that all have made by then.
        `batch_size` are made at a time, whatever the number of ranks, which must not change even the rounding.
        """
        size = min(self.batch_size, self.samples)
        for turn in range(math.ceil(self.samples / (size * world_size()))):
            start = turn * size * world_size()
            images, labels = self.make(start + rank() * size, size)
            own(images, labels, min(start + size * world_size(), self.samples))
            if gather:
                yield from self._gathered(images, labels, start, size)

    def _gathered(self, images: Tensor, labels: Tensor | None, start: int, size: int) -> Iterator[Fakes]:
        gathered_labels = gather_in_order(labels) if labels is not None else None
        for index, block in enumerate(gather_in_order(images)):
            first = start + index * size
            kept = slice(0, max(self.samples - first, 0) * self.frames)
            labels = None if gathered_labels is None else gathered_labels[index][kept]
            if len(block[kept]):
                yield Fakes(first, block[kept], labels, self.frames)


def fakes_of_module(
    module: GANModule,
    seed: int,
    source: Source | None = None,
    options: Mapping[str, Any] | None = None,
    precision: Precision = "float32",
) -> Make:
    """Samples of a module; with a `source` made for its examples, of which they have the labels."""
    facts = module.facts_of_samples(options or {})

    def make(first: int, size: int) -> tuple[Tensor, Tensor | None]:
        with torch.autocast(module.device.type, torch.bfloat16, enabled=precision == "bf16"):
            settings: dict[str, Any] = {"source": source, "options": options, "first": first, "batch_size": size}
            pieces = list(sample_blocks(module, size, seed, **settings))
        images = torch.cat([for_metrics(samples, facts) for samples, _ in pieces])
        labels = [drawn for _, drawn in pieces if drawn is not None]
        return images, labels_of_frames(torch.cat(labels), facts) if labels else None

    return make


def fakes_of_files(dataset: Dataset, device: torch.device) -> Make:
    """The examples of a data set as they are, in their order, over and over."""

    def make(first: int, size: int) -> tuple[Tensor, Tensor | None]:
        return read_reals(dataset, torch.arange(first, first + size) % len(dataset), device)

    return make
