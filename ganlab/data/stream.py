"""The infinite stream of training examples, a pure function of (seed, position): resuming needs no state."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples, undeclared_names
from ganlab.data.jitter import check_jitter, jitter_examples
from ganlab.data.records import name_of
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.data.windows import read_windows
from ganlab.errors import DataError
from ganlab.facts import DataFacts
from ganlab.randomness import derive_seed

_EPOCHS_KEPT = 2  # a batch may reach from one epoch into the next


class Stream:
    """All positions 0, 1, 2, ...: every epoch shows each example once, in an order of its own.

    With `flip`, half of an epoch's images (drawn anew each epoch) are mirrored left to right, and the images and maps
    that belong to them alike. With `jitter`, images and what belongs to them are enlarged until their larger side has
    so many pixels, and cut to their own size at a place drawn anew each epoch. Of sequences that are longer than what a
    step takes, a window of consecutive frames is shown, drawn anew each epoch. Each further domain has a stream of its
    own, with epochs of its own length and a seed of its name, so that other examples of it stand beside an example in
    each epoch.
    """

    def __init__(self, dataset: Dataset, seed: int, flip: bool = False, jitter: int | None = None) -> None:
        if len(dataset) == 0:
            raise DataError("the data set is empty")
        if flip and not dataset.facts.is_images:
            raise DataError(
                "'data.flip: true' mirrors images, but the examples of this data set are vectors; remove it"
            )
        check_jitter(jitter, dataset.facts)
        self.dataset = dataset
        self.seed = seed
        self.flip = flip
        self.factor = jitter / dataset.facts.side if jitter and dataset.facts.side else None
        self.further = {
            name: Stream(
                domain,
                derive_seed(seed, "domain", name),
                flip and domain.facts.is_images,
                self._jitter_beside(domain.facts),
            )
            for name, domain in domains_of(dataset).items()
        }
        self._epochs: dict[int, tuple[Tensor, Tensor]] = {}
        self._drawn: dict[tuple[str, int], Tensor] = {}

    def __getitem__(self, plan: StepPlan) -> StepBatch:
        """The examples of one rank's step."""
        batch = self._read(plan, plan.positions, plan.resolution)
        batch.further = {
            name: stream._read(plan, plan.positions, stream._resolution_beside(self.dataset.facts, plan.resolution))
            for name, stream in self.further.items()
        }
        batch.unsound += tuple(f"{each} of '{name}'" for name, part in batch.further.items() for each in part.unsound)
        return batch

    def _read(self, plan: StepPlan, positions: Tensor, resolution: int | None) -> StepBatch:
        places, mirrored = self.locate(positions)
        indices = places.tolist()
        if self.dataset.facts.frames:
            starts = self._places(positions, "window", 1)[:, 0]
            examples = read_windows(self.dataset, indices, starts, plan.frames, resolution)
        else:
            examples = read_examples(self.dataset, indices, resolution)
        if self.flip or self.factor:
            _check_declared(examples, self.dataset.facts, "flip: true" if self.flip else "jitter")
        if self.factor:
            jitter_examples(examples, self._places(positions, "jitter", 2), self.factor, self.dataset.facts)
        if self.flip:
            mirror_examples(examples, mirrored, self.dataset.facts)
        unsound = [name_of(self.dataset, indices[row]) for row in _rows_not_finite(examples)]
        images, labels = examples.pop(IMAGES), examples.pop(LABEL, None)
        return StepBatch(plan, images, labels if self.dataset.facts.classes else None, examples, unsound=unsound)

    def _resolution_beside(self, facts: DataFacts, resolution: int | None) -> int | None:
        """What the images of this domain are reduced to where those of the first are reduced to `resolution`."""
        own = self.dataset.facts.side
        if resolution is None or own is None or facts.side is None:
            return None
        return max(1, own * resolution // facts.side)

    def _jitter_beside(self, facts: DataFacts) -> int | None:
        """The pixels to which the images of a domain are enlarged, by the factor of the first one's."""
        if self.factor is None or facts.side is None:
            return None
        return round(facts.side * self.factor)

    def _places(self, positions: Tensor, purpose: str, count: int) -> Tensor:
        """Where enlarged images, or sequences, are cut: (N, count), from 0 to 1."""
        size = len(self.dataset)
        places = [self._of_epoch(purpose, position // size, count)[position % size] for position in positions.tolist()]
        return torch.stack(places)

    def _of_epoch(self, purpose: str, epoch: int, count: int) -> Tensor:
        key = (purpose, epoch)
        if key not in self._drawn:
            generator = torch.Generator().manual_seed(derive_seed(self.seed, *key))
            drawn = torch.rand(len(self.dataset), count, generator=generator)
            newest = sorted(each for each in self._drawn if each[0] == purpose)[1 - _EPOCHS_KEPT :]
            others = {each: places for each, places in self._drawn.items() if each[0] != purpose or each in newest}
            self._drawn = others | {key: drawn}
        return self._drawn[key]

    def locate(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Indices in the data set, and whether the image is mirrored, for places in the stream."""
        size = len(self.dataset)
        first, last = (int(position) // size for position in (positions.min(), positions.max()))
        if first == last:
            order, mirrors = self._epoch(first)
            places = positions - first * size
            return order[places], mirrors[places]
        epochs = positions.div(size, rounding_mode="floor")
        indices, mirrored = torch.empty_like(positions), torch.empty_like(positions, dtype=torch.bool)
        for epoch in sorted(set(epochs.tolist())):
            rows = epochs == epoch
            order, mirrors = self._epoch(epoch)
            places = positions[rows] - epoch * size
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


def _rows_not_finite(examples: Mapping[str, Tensor]) -> list[int]:
    """The places of examples that the checks before the training have not seen, or that have changed since."""
    rows: set[int] = set()
    for value in examples.values():
        if value.is_floating_point() and not value.isfinite().all():
            rows |= set((~value.isfinite()).flatten(1).any(1).nonzero().flatten().tolist())
    return sorted(rows)


def domains_of(dataset: Dataset) -> Mapping[str, Dataset]:
    """The further domains of a data set; none of one that offers none."""
    return getattr(dataset, "further", None) or {}


def mirror_examples(examples: dict[str, Tensor], mirrored: Tensor, facts: DataFacts) -> None:
    """Mirror some of stacked examples from left to right, in place of the fields that belong to the picture."""
    kinds = {IMAGES: "images"} | {name: of_input.kind for name, of_input in facts.inputs.items()}
    for name, kind in kinds.items():
        if kind == "numbers":
            continue
        value = examples[name]
        other = value.flip(-1)
        if kind == "flows":
            other[..., 0, :, :].neg_()  # what went to the right goes to the left
        examples[name] = torch.where(mirrored.view(-1, *[1] * (value.dim() - 1)), other, value)


def _check_declared(examples: Mapping[str, Tensor], facts: DataFacts, option: str) -> None:
    if names := undeclared_names(examples, facts):
        raise DataError(
            f"'data.{option}' would change the images but perhaps not what belongs to them ({', '.join(names)}), of "
            "which the data set's 'facts.inputs' do not tell: declare them there, or remove it"
        )
