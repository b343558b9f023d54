"""The infinite stream of training examples, a pure function of (seed, position): resuming needs no state."""

from __future__ import annotations

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, further_names, read_examples
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.errors import DataError
from ganlab.randomness import derive_seed

_EPOCHS_KEPT = 2  # a batch may reach from one epoch into the next


class Stream:
    """All positions 0, 1, 2, ...: every epoch shows each example once, in an order of its own.

    With `flip`, half of an epoch's images (drawn anew each epoch) are mirrored left to right.
    """

    def __init__(self, dataset: Dataset, seed: int, flip: bool = False) -> None:
        if len(dataset) == 0:
            raise DataError("the data set is empty")
        if flip:
            _check_flip(dataset)
        self.dataset = dataset
        self.seed = seed
        self.flip = flip
        self._epochs: dict[int, tuple[Tensor, Tensor]] = {}

    def __getitem__(self, plan: StepPlan) -> StepBatch:
        """The examples of one rank's step."""
        indices, mirrored = self.locate(plan.positions)
        examples = read_examples(self.dataset, indices.tolist(), plan.resolution)
        images, labels = examples.pop(IMAGES), examples.pop(LABEL, None)
        if self.flip:
            images = torch.where(mirrored[:, None, None, None], images.flip(-1), images)
        return StepBatch(plan, images, labels if self.dataset.facts.classes else None, examples)

    def locate(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Indices in the data set, and whether the image is mirrored, for places in the stream."""
        epochs = positions.div(len(self.dataset), rounding_mode="floor")
        indices, mirrored = torch.empty_like(positions), torch.empty_like(positions, dtype=torch.bool)
        for epoch in sorted(set(epochs.tolist())):
            rows = epochs == epoch
            places = positions[rows] - epoch * len(self.dataset)
            order, mirrors = self._epoch(epoch)
            indices[rows], mirrored[rows] = order[places], mirrors[places]
        return indices, mirrored

    def _epoch(self, epoch: int) -> tuple[Tensor, Tensor]:
        if epoch not in self._epochs:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, "data", epoch))
            order = torch.randperm(len(self.dataset), generator=generator)
            mirrors = torch.rand(len(self.dataset), generator=generator) < 0.5
            newest = sorted(self._epochs)[1 - _EPOCHS_KEPT :]
            self._epochs = {kept: self._epochs[kept] for kept in newest} | {epoch: (order, mirrors)}
        return self._epochs[epoch]


def _check_flip(dataset: Dataset) -> None:
    if not dataset.facts.is_images:
        raise DataError("'data.flip: true' mirrors images, but the examples of this data set are vectors; remove it")
    if names := further_names(dataset):
        raise DataError(
            f"'data.flip: true' would mirror the images but not what belongs to them ({', '.join(names)}); remove it"
        )
