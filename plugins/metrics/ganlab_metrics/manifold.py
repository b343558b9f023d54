"""How near samples lie to a known curve, and how much of the curve they cover."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import DataFacts, UserError
from ganlab.bounds import Positive


class ManifoldCoverage:
    """For data whose facts tell a `curve`, as points that are equally likely, and the `standard_deviation` around it.

    `good`: share of samples within `deviations` standard deviations of the curve (99.7% of reals are within 3).
    `covered`: share of the curve's `parts`, each equally likely, with at least half of their even share of all
    samples, counting good ones only. `kl`: divergence in nats of the good samples' parts from the uniform
    distribution, 0 at best; log(`parts`) if none is good.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"fakes"})
    higher_is_better: ClassVar[Mapping[str, bool]] = {"covered": True, "good": True, "kl": False}
    example_extras: ClassVar[Mapping[str, Any]] = {"curve": [[0.0, 0.0], [0.5, 0.5]], "standard_deviation": 0.1}

    def __init__(
        self, facts: DataFacts, deviations: Positive = 3.0, parts: Annotated[int, Ge(2), Le(1_000_000)] = 50
    ) -> None:
        if facts.is_images or "curve" not in facts.extras:
            raise UserError(
                "the metric 'manifold' measures distances from a curve, but these data have no 'curve'; "
                "use it with swiss_roll, or leave it out"
            )
        self.curve = torch.as_tensor(facts.extras["curve"], dtype=torch.float64)
        self.radius = deviations * float(facts.extras["standard_deviation"])
        self.parts = parts
        self.protocol = {"deviations": deviations, "parts": parts}
        self.reset()

    def update(self, images: Tensor, real: bool) -> None:
        """Show vectors (N, D) in the data's own units."""
        distances, nearest = torch.cdist(images.double().cpu(), self.curve).min(dim=1)
        place = nearest[distances <= self.radius] * self.parts // len(self.curve)
        self._samples += len(images)
        self._good += torch.bincount(place, minlength=self.parts)

    def compute(self) -> dict[str, float]:
        """The three numbers for the fakes since the last reset."""
        if self._samples == 0:
            raise ValueError("the metric 'manifold' needs at least one sample")
        good = int(self._good.sum())
        shares = self._good[self._good > 0] / max(good, 1)
        least = self._samples / self.parts / 2
        return {
            "good": good / self._samples,
            "covered": float((self._good >= least).double().mean()),
            "kl": max(0.0, float((shares * shares.log()).sum()) + math.log(self.parts)),
        }

    def reset(self) -> None:
        """Forget the fakes."""
        self._samples = 0
        self._good = torch.zeros(self.parts, dtype=torch.int64)
