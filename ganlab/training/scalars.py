"""Scalars of training steps, kept as detached tensors until somebody asks for their means."""

from __future__ import annotations

from collections import defaultdict

import torch
from torch import Tensor

from ganlab.distributed import mean_over_ranks


class ScalarBuffer:
    """Collects named scalars without waiting for the device; `reduce` averages and forgets them.

    Lightning's `self.log` costs milliseconds in every step; appending a tensor costs a microsecond.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[Tensor]] = defaultdict(list)
        self._weights: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: Tensor, weight: float = 1.0) -> None:
        """Note one value; `weight` is its share of a step (below 1 under gradient accumulation)."""
        self._values[name].append(value.detach())
        self._weights[name].append(weight)

    def reduce(self) -> dict[str, float]:
        """Weighted means since the last call, averaged over ranks. A collective: every rank calls it."""
        names = sorted(self._values)
        if not names:
            return {}
        means = torch.stack([self._mean(name) for name in names])
        self._values.clear()
        self._weights.clear()
        return dict(zip(names, mean_over_ranks(means).tolist(), strict=True))

    def _mean(self, name: str) -> Tensor:
        values = torch.stack(self._values[name]).double()
        weights = torch.tensor(self._weights[name], dtype=torch.float64).to(values.device)
        return (values * weights).sum() / weights.sum()
