"""Reads many examples of a data set and collects what is wrong with them and what they hold."""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples
from ganlab.errors import DataError

_CHUNK = 64
_WORTH_PROCESSES = 500  # examples; for fewer, starting worker processes takes longer than reading
_MOST_PROCESSES = 8


@dataclass
class Findings:
    """What was found: `unreadable` examples with the reason, content digests by example, labels and values."""

    unreadable: dict[int, str] = field(default_factory=dict)
    digests: dict[int, bytes] = field(default_factory=dict)
    labels: Counter[int] = field(default_factory=Counter)
    types: set[str] = field(default_factory=set)
    lowest: float = math.inf
    highest: float = -math.inf

    def add(self, other: Findings) -> None:
        """Include the findings on further examples."""
        self.unreadable |= other.unreadable
        self.digests |= other.digests
        self.labels += other.labels
        self.types |= other.types
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)


def examine(dataset: Dataset, indices: Sequence[int]) -> Findings:
    """Read the examples at `indices`, in several processes where that is worth it. Raises nothing for bad examples."""
    findings = Findings()
    loader: DataLoader[Any] = DataLoader(
        cast(Any, _Examiner(dataset)),
        batch_size=None,
        sampler=cast(Any, [indices[start : start + _CHUNK] for start in range(0, len(indices), _CHUNK)]),
        num_workers=_processes(dataset, len(indices)),
        collate_fn=_as_it_is,
        generator=torch.Generator(),
    )
    for part in loader:
        findings.add(part)
    return findings


def _processes(dataset: Dataset, count: int) -> int:
    if hasattr(dataset, "take") or count < _WORTH_PROCESSES:
        return 0
    return min(os.cpu_count() or 1, _MOST_PROCESSES)


class _Examiner:
    """The findings on one chunk of examples, made where they are read: images do not travel between processes."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

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
        _check_finite(images, indices)
        return Findings(
            digests={index: _digest(image) for index, image in zip(indices, images, strict=True)},
            labels=Counter(examples[LABEL].tolist()) if self.dataset.facts.classes else Counter(),
            types={str(images.dtype).removeprefix("torch.")},
            lowest=float(images.numpy().min()),
            highest=float(images.numpy().max()),
        )


def _check_finite(images: Tensor, indices: Sequence[int]) -> None:
    if not images.is_floating_point():
        return
    finite = images.flatten(1).isfinite().all(1)
    if not finite.all():
        raise DataError(
            f"example {indices[int(finite.int().argmin())]} has values that are not finite (NaN or infinite)"
        )


def _digest(image: Tensor) -> bytes:
    return hashlib.blake2b(image.contiguous().numpy().tobytes(), digest_size=16).digest()


def _as_it_is(part: Any) -> Any:
    return part
