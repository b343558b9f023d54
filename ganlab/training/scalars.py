"""Scalars of training steps, kept as detached tensors until somebody asks for their means."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor

from ganlab.distributed import mean_over_ranks


class ScalarBuffer:
    """Collects named scalars without waiting for the device; `reduce` averages and forgets them.

    Lightning's `self.log` costs milliseconds in every step; appending a tensor costs a microsecond. What is collected
    is part of a checkpoint, so that a resumed run's next line in the log is that of an uninterrupted one.
    """

    def __init__(self) -> None:
        self._fresh: dict[str, list[Tensor]] = defaultdict(list)  # of this rank
        self._settled: dict[str, Tensor] = {}  # means over ranks in float64, on the CPU
        self._weights: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, value: Tensor, weight: float = 1.0) -> None:
        """Note one value; `weight` is its share of a step (below 1 under gradient accumulation)."""
        self._fresh[name].append(value.detach())
        self._weights[name].append(weight)

    @property
    def empty(self) -> bool:
        """Whether nothing was added since the last reduction."""
        return not self._weights

    def reduce(self) -> dict[str, float]:
        """Weighted means since the last call, averaged over ranks. A collective: every rank calls it.

        Values that are not finite belong to updates that the guard left out, or ends the run after; a name that has no
        others is left out.
        """
        self.settle()
        means = {name: mean for name in sorted(self._settled) if (mean := self._mean(name)) is not None}
        self._settled.clear()
        self._weights.clear()
        return means

    def settle(self) -> None:
        """Average what was added over ranks, value by value, so that it does not matter when. A collective."""
        names = sorted(self._fresh)
        if not names:
            return
        counts = [len(self._fresh[name]) for name in names]
        values = torch.stack([value for name in names for value in self._fresh[name]]).double()
        for name, part in zip(names, mean_over_ranks(values).cpu().split(counts), strict=True):
            before = self._settled.get(name)
            self._settled[name] = part if before is None else torch.cat([before, part])
        self._fresh.clear()

    def state_dict(self) -> dict[str, Any]:
        """Plain values for a checkpoint; what was added since `settle` is not in it."""
        return {
            name: {"values": values, "weights": self._weights[name][: len(values)]}
            for name, values in self._settled.items()
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` saved and forget everything else."""
        self._fresh.clear()
        self._settled = {name: part["values"].cpu().clone() for name, part in state.items()}
        self._weights = defaultdict(list, {name: list(part["weights"]) for name, part in state.items()})

    def _mean(self, name: str) -> float | None:
        values, weights = self._settled[name], torch.tensor(self._weights[name], dtype=torch.float64)
        finite = torch.isfinite(values)
        if not finite.any():
            return None
        values, weights = values[finite], weights[finite]
        return float((values * weights).sum() / weights.sum())
