"""A data set as a spec wants it: complete facts, labels or none, examples held out, files of lower resolutions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.cache import CachedDataset
from ganlab.data.examples import IMAGES, LABEL
from ganlab.data.records import FileRecord
from ganlab.data.stream import domains_of
from ganlab.errors import DataError
from ganlab.facts import DataFacts, InputFacts
from ganlab.randomness import derive_seed


@dataclass(frozen=True)
class Wishes:
    """What a spec says of any data set: see the platform's keys of `data`."""

    labels: bool = True
    holdout: float = 0.0
    holdout_seed: int = 0
    cache: str | Path | None = None


def arrange(dataset: Dataset, wishes: Wishes) -> Dataset:
    """The data set, and its further domains, as wished; itself if there is nothing to change."""
    _check_facts(dataset.facts)
    held_out = held_out_of(dataset)
    if held_out is not None and wishes.holdout:
        raise DataError("'data.holdout' would split data that have held-out examples of their own; leave it out")
    further = {name: arrange(domain, wishes) for name, domain in domains_of(dataset).items()}
    base: Dataset = dataset if wishes.cache is None else CachedDataset(dataset, wishes.cache)
    facts = _completed(dataset.facts, further, wishes.labels)
    if wishes.holdout:
        return _counted(_split(base, facts, further, wishes))
    if held_out is not None:
        held_out = arrange(held_out, replace(wishes, cache=None))
        _check_alike(facts, held_out.facts)
        facts = replace(facts, held_out=held_out.facts.fingerprint)
    if facts == base.facts and not further and not (facts.classes and hasattr(base, "every_label")):
        return base
    return _counted(ArrangedDataset(base, facts, further=further, held_out=held_out))


def held_out_of(dataset: Dataset) -> Dataset | None:
    """The examples that training never sees; None if there are none."""
    held_out: Dataset | None = getattr(dataset, "held_out", None)
    return held_out


def domain_within(dataset: Dataset, name: str | None) -> Dataset:
    """A further domain with those of its examples that training never sees; without a name the data set itself."""
    if name is None:
        return dataset
    domain, held_out = domains_of(dataset)[name], held_out_of(dataset)
    others = None if held_out is None else domains_of(held_out).get(name)
    if others is None or held_out_of(domain) is not None:
        return domain
    return ArrangedDataset(domain, replace(domain.facts, held_out=others.facts.fingerprint), held_out=others)


def prepare(dataset: Dataset) -> None:
    """Let a data set, its further domains and its held-out examples make the files that they need, each once."""
    for source in _sources(dataset).values():
        if callable(make := getattr(source, "prepare", None)):
            make()


def _sources(dataset: Dataset) -> dict[int, Dataset]:
    """The data sets beneath, each once: those that are held out and those that are not may come from one."""
    own = dataset.dataset if isinstance(dataset, ArrangedDataset) else dataset
    found = {id(own): own}
    for part in (*domains_of(dataset).values(), held_out_of(dataset)):
        found |= {} if part is None else _sources(part)
    return found


class ArrangedDataset:
    """Some or all examples of a data set, with or without their labels."""

    def __init__(
        self,
        dataset: Dataset,
        facts: DataFacts,
        indices: Sequence[int] | None = None,
        further: Mapping[str, Dataset] | None = None,
        held_out: Dataset | None = None,
    ) -> None:
        self.dataset = dataset
        self.facts = facts
        self.indices = indices
        self.further = further or {}
        self.held_out = held_out

    def __len__(self) -> int:
        return len(self.dataset) if self.indices is None else len(self.indices)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self._shown(self.dataset[self._places([index])[0]])

    def __getattr__(self, name: str) -> Any:
        # These exist where the data set has them.
        if name in ("take", "take_reduced", "take_windows"):
            return partial(self._take, getattr(self.dataset, name))
        if name == "inspect":
            return partial(self._inspect, self.dataset.inspect)  # type: ignore[attr-defined]
        if name == "every_label":
            return partial(self._every_label, self.dataset.every_label)  # type: ignore[attr-defined]
        if name == "is_transparent":
            seen_through = getattr(self.dataset, name)
            return lambda index: seen_through(self._places([index])[0])
        raise AttributeError(name)

    def _take(self, take: Any, indices: Sequence[int], *options: Any) -> Mapping[str, Tensor]:
        taken: Mapping[str, Tensor] = self._shown(take(self._places(indices), *options))
        return taken

    def _inspect(self, inspect: Any) -> list[FileRecord]:
        records = list(inspect())
        return records if self.indices is None else [records[index] for index in self.indices]

    def _every_label(self, every_label: Any) -> Tensor | None:
        labels = every_label() if self.facts.classes else None
        if labels is None:
            return None
        labels = torch.as_tensor(labels)
        return labels if self.indices is None else labels[list(self.indices)]

    def _places(self, indices: Sequence[int]) -> Sequence[int]:
        return indices if self.indices is None else [self.indices[index] for index in indices]

    def _shown(self, example: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.facts.classes:
            return example
        return {name: value for name, value in example.items() if name != LABEL}


def _counted(dataset: ArrangedDataset) -> ArrangedDataset:
    """The data set with its examples of each class counted, where it tells all labels."""
    labels = dataset.every_label() if hasattr(dataset, "every_label") else None
    if labels is not None:
        counts = torch.bincount(labels, minlength=dataset.facts.classes).tolist()
        dataset.facts = replace(dataset.facts, class_counts=tuple(counts))
    return dataset


def _split(dataset: Dataset, facts: DataFacts, further: Mapping[str, Dataset], wishes: Wishes) -> ArrangedDataset:
    """The two parts of a data set; a larger share holds out what a smaller one does, and more."""
    size = len(dataset)
    count = round(size * wishes.holdout)
    if not 0 < count < size:
        raise DataError(
            f"'data.holdout: {wishes.holdout:g}' holds out {count} of {size} examples; choose another share"
        )
    generator = torch.Generator().manual_seed(derive_seed(facts.fingerprint, "holdout", wishes.holdout_seed))
    order = torch.randperm(size, generator=generator)
    others = {name: held for name, domain in further.items() if (held := held_out_of(domain)) is not None}
    name = f"{facts.fingerprint}-{wishes.holdout:g}-{wishes.holdout_seed}"
    facts_held = replace(
        facts,
        size=count,
        fingerprint=f"{name}-held-out",
        further={key: held.facts for key, held in others.items()},
    )
    held_out = ArrangedDataset(dataset, facts_held, _sorted(order[:count]), others)
    facts = replace(facts, size=size - count, fingerprint=f"{name}-train", held_out=facts_held.fingerprint)
    return ArrangedDataset(dataset, facts, _sorted(order[count:]), further, held_out)


def _sorted(places: Tensor) -> list[int]:
    ordered: list[int] = places.sort().values.tolist()
    return ordered


def _completed(facts: DataFacts, further: Mapping[str, Dataset], labels: bool) -> DataFacts:
    """Facts with those of the domains, extras as a record keeps them, and no classes where labels are hidden."""
    facts = replace(
        facts,
        extras=DataFacts.from_record(facts.to_record()).extras,
        further={name: domain.facts for name, domain in further.items()},
    )
    if labels or not facts.classes:
        return facts
    return replace(facts, class_names=(), fingerprint=f"{facts.fingerprint}-unlabelled")


def _check_alike(facts: DataFacts, held_out: DataFacts) -> None:
    for name in ("shape", "value_range", "class_names", "inputs", "frames"):
        if getattr(facts, name) != getattr(held_out, name):
            raise DataError(
                f"the held-out examples have {name} {getattr(held_out, name)}, those of the training "
                f"{getattr(facts, name)}: both must be alike"
            )
    if facts.fingerprint == held_out.fingerprint:
        raise DataError("the held-out examples have the fingerprint of those of the training; theirs must differ")


def _check_facts(facts: DataFacts) -> None:
    """Raise `DataError` for facts that contradict themselves."""
    if facts.frames and (len(facts.shape) != 4 or facts.shape[0] != facts.frames):
        raise DataError(f"sequences of {facts.frames} frames have the shape (frames, C, H, W), not {facts.shape}")
    for name, of_input in facts.inputs.items():
        if name in (IMAGES, LABEL, "labels"):
            raise DataError(f"an input cannot be called '{name}', which is the name of another field of an example")
        if reason := _contradiction(of_input):
            raise DataError(f"the facts of the input '{name}' contradict themselves: {reason}")


def _contradiction(facts: InputFacts) -> str | None:
    low, high = facts.value_range
    if facts.kind == "images" and len(facts.shape) < 3:
        return f"images are (C, H, W), not {facts.shape}"
    if facts.kind == "images" and not low < high:
        return f"'value_range' is (low, high) with low below high, not {facts.value_range}"
    if facts.kind == "flows" and (len(facts.shape) not in (3, 4) or facts.shape[-3] != 3):
        return f"flows are (3, H, W), or (T, 3, H, W) of sequences, not {facts.shape}"
    if facts.kind == "maps" and len(facts.shape) not in (2, 3, 4):
        return f"maps are (H, W) or (C, H, W), not {facts.shape}"
    if facts.classes and facts.kind != "maps":
        return f"only maps have 'classes', not {facts.kind}"
    return None
