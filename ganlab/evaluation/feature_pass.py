"""One pass of one extractor over the images of an evaluation, shared by all ranks and by all metrics."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset, Extractor
from ganlab.distributed import gather_in_order, gather_values, rank, world_size
from ganlab.errors import UserError, reason
from ganlab.evaluation.feature_set import Features
from ganlab.evaluation.reals import read_reals

Shown = Callable[[int], None]
"""What is told how many images a pass has seen since it was last told."""


def extractor_key(extractor: Extractor) -> str:
    """Equal for extractors that give the same features."""
    return json.dumps(dict(extractor.protocol), sort_keys=True)


class FeaturePass:
    """Features of this rank's blocks of images; an extractor that fails is left alone, and `error` says why.

    Every block has as many images, whatever the number of ranks, which must not change even the rounding.
    """

    def __init__(self, extractor: Extractor) -> None:
        self.extractor = extractor
        self.error: str | None = None
        self.seconds = 0.0
        self._blocks: list[Tensor] = []
        self._labels: list[Tensor] = []

    def show(self, images: Tensor, labels: Tensor | None) -> None:
        """Extract the features of a block."""
        if self.error is not None:
            return
        begin = time.monotonic()
        try:
            with torch.no_grad():
                self._blocks.append(self.extractor(images).float().cpu())
        except Exception as error:  # an extractor is a plugin: whatever it raises must not end the training
            kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
            self.error = f"its extractor failed: {kind}{reason(error)}"
        if labels is not None:
            self._labels.append(labels.cpu())
        self.seconds += time.monotonic() - begin

    def collect(self, count: int, device: torch.device) -> Features:
        """The first `count` rows of all ranks' blocks, on rank 0. A collective.

        Raises `UserError`, on all ranks alike, if the extractor failed, or was given up, on any of them.
        """
        failed = [error for error in gather_values(self.error) if error is not None]
        if failed:
            raise UserError(failed[0])
        rows = _in_order(self._blocks, device)[:count]
        labels = _in_order(self._labels, device)[:count] if self._labels else None
        return Features(rows, labels)


def _in_order(blocks: Sequence[Tensor], device: torch.device) -> Tensor:
    """The blocks of all ranks, turn by turn; this rank's first block on other ranks than 0."""
    gathered = [part.cpu() for block in blocks for part in gather_in_order(block.to(device))]
    return torch.cat(gathered) if gathered else blocks[0]


def real_features(
    passes: Mapping[str, FeaturePass], dataset: Dataset, places: Tensor, size: int, device: torch.device, shown: Shown
) -> None:
    """Show the reals at these places to the passes, each rank its own blocks of `size`. Every rank calls it."""
    turns = math.ceil(len(places) / (size * world_size()))
    for turn in range(turns):
        start = (turn * world_size() + rank()) * size
        block = places[torch.arange(start, start + size) % len(places)]
        images, labels = read_reals(dataset, block, device)
        for each in passes.values():
            each.show(images, labels)
        shown(min(size * world_size(), len(places) - turn * size * world_size()))


def learn(extractor: Any, dataset: Dataset, batch_size: int) -> None:
    """Let an extractor that learns from the training's examples do so."""
    count = min(getattr(extractor, "examples", len(dataset)), len(dataset))
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:count]
    extractor.learn(read_reals(dataset, places) for places in order.split(batch_size))
