"""Reads many examples of a data set and collects what is wrong with them and what they hold."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples, span
from ganlab.errors import DataError
from ganlab.facts import InputFacts
from ganlab.processes import begin_loading_process

_CHUNK = 64
_WORTH_PROCESSES = 500  # examples; for fewer, starting worker processes takes longer than reading
_MOST_PROCESSES = 8


@dataclass
class Findings:
    """What was found: `unreadable` examples with the reason, content digests by example, labels and values.

    `inputs` holds the lowest and highest value of each further field; `transparent` are the examples whose files one
    can see through, as far as these were looked at.
    """

    unreadable: dict[int, str] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    labels: Counter[int] = field(default_factory=Counter)
    types: set[str] = field(default_factory=set)
    lowest: float = math.inf
    highest: float = -math.inf
    inputs: dict[str, tuple[float, float]] = field(default_factory=dict)
    transparent: set[int] = field(default_factory=set)

    def add(self, other: Findings) -> None:
        """Include the findings on further examples."""
        self.unreadable |= other.unreadable
        self.digests |= other.digests
        self.labels += other.labels
        self.types |= other.types
        self.transparent |= other.transparent
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        for name, (low, high) in other.inputs.items():
            lowest, highest = self.inputs.get(name, (low, high))
            self.inputs[name] = (min(lowest, low), max(highest, high))


def examine(dataset: Dataset, indices: Sequence[int], see_through: Collection[int] = ()) -> Findings:
    """Read the examples at `indices`, in several processes where that is worth it. Raises nothing for bad examples.

    The files of those in `see_through` are looked at for transparent pixels as well.
    """
    findings = Findings()
    loader: DataLoader[Any] = DataLoader(
        cast(Any, _Examiner(dataset, frozenset(see_through))),
        batch_size=None,
        sampler=cast(Any, [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]),
        num_workers=_processes(dataset, len(indices)),
        collate_fn=_as_it_is,
        worker_init_fn=begin_loading_process,
        generator=torch.Generator(),
    )
    for part in loader:
        findings.add(part)
    return findings


def _processes(dataset: Dataset, count: int) -> int:
    in_memory = hasattr(dataset, "take") and not hasattr(dataset, "inspect")
    if in_memory or count < _WORTH_PROCESSES:
        return 0
    return min(os.cpu_count() or 1, _MOST_PROCESSES)


class _Examiner:
    """The findings on one chunk of examples, made where they are read: images do not travel between processes."""

    def __init__(self, dataset: Dataset, see_through: frozenset[int]) -> None:
        self.dataset = dataset
        self.see_through = see_through

    def __getitem__(self, indices: Sequence[int]) -> Findings:
        try:
            return self._findings(indices)
        except DataError as error:
            if len(indices) == 1:
                return Findings(unreadable={indices[0]: str(error)})
        findings = Findings()
        for index in indices:
            findings.add(self[[index]])
        return findings

    def _findings(self, indices: Sequence[int]) -> Findings:
        examples = read_examples(self.dataset, indices)
        images = examples[IMAGES]
        facts = self.dataset.facts
        for name, value in examples.items():
            _check_finite(name, value, indices)
        for name, of_input in facts.inputs.items():
            _check_map(name, of_input, examples[name], indices)
        known = [IMAGES, *facts.inputs]
        return Findings(
            digests={index: _digest([examples[name][row] for name in known]) for row, index in enumerate(indices)},
            labels=Counter(examples[LABEL].tolist()) if facts.classes else Counter(),
            types={str(images.dtype).removeprefix("torch.")},
            lowest=float(images.numpy().min()),
            highest=float(images.numpy().max()),
            inputs={name: _extremes(value) for name, value in examples.items() if name not in (IMAGES, LABEL)},
            transparent={
                index for index in self.see_through.intersection(indices) if _is_transparent(self.dataset, index)
            },
        )


def _is_transparent(dataset: Dataset, index: int) -> bool:
    return bool(dataset.is_transparent(index))  # type: ignore[attr-defined]  # it has records that tell of transparency


def _check_finite(name: str, values: Tensor, indices: Sequence[int]) -> None:
    if not values.is_floating_point():
        return
    finite = values.flatten(1).isfinite().all(1) if values.dim() > 1 else values.isfinite()
    if not finite.all():
        where = "" if name == IMAGES else f" in '{name}'"
        raise DataError(
            f"example {indices[int(finite.int().argmin())]} has values{where} that are not finite (NaN or infinite)"
        )


def _check_map(name: str, facts: InputFacts, values: Tensor, indices: Sequence[int]) -> None:
    if facts.kind != "maps":
        return
    low, high = _extremes(values)
    if low < 0 or (facts.classes and high >= facts.classes):
        allowed = f"{facts.classes} classes allow 0 to {facts.classes - 1}" if facts.classes else "they begin at 0"
        raise DataError(f"the map '{name}' of examples {span(indices)} goes from {low:g} to {high:g}; {allowed}")


def _extremes(values: Tensor) -> tuple[float, float]:
    numbers = values.numpy() if values.dtype != torch.bfloat16 else values.float().numpy()
    return (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 0.0)


def _digest(fields: Sequence[Tensor]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for value in fields:
        digest.update(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.digest()


def _as_it_is(part: Any) -> Any:
    return part
