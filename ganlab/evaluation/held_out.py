"""Held-out examples that samples are made for: sample i for example i, over and over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, read_examples
from ganlab.data.scaling import scale_input
from ganlab.evaluation.quantise import reals_for_metrics


class HeldOut:
    """The examples that training never sees, by the number of the sample that is made for them."""

    def __init__(self, dataset: Dataset, device: torch.device) -> None:
        self.dataset = dataset
        self.device = device

    def inputs(self, samples: Sequence[int]) -> dict[str, Tensor]:
        """What the samples are made from, by name, as in training: images in [-1, 1], maps int64, numbers floats."""
        facts = self.dataset.facts.inputs
        given = {name: value for name, value in self._read(samples).items() if name not in (IMAGES, LABEL)}
        return {name: scale_input(value.to(self.device), facts.get(name)) for name, value in given.items()}

    def labels(self, samples: Sequence[int]) -> Tensor | None:
        """The classes of the examples (N,)."""
        return self._read(samples)[LABEL].to(self.device) if self.dataset.facts.classes else None

    def targets(self, samples: Sequence[int]) -> Tensor:
        """The examples' own images, as metrics see them."""
        return reals_for_metrics(self._read(samples)[IMAGES].to(self.device), self.dataset.facts)

    def _read(self, samples: Sequence[int]) -> Mapping[str, Any]:
        return read_examples(self.dataset, [sample % len(self.dataset) for sample in samples])
