"""The Inception Score: how sure a classifier is of fakes, and how many classes it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import UserError
from ganlab.bounds import Seed
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.feature_metric import with_intervals
from ganlab_metrics.inception import Inception


class InceptionScore:
    """exp E KL(p(y|x) | p(y)) of fakes, the mean over splits (Salimans et al., 2016); `std` is that over splits.

    It does not look at reals: a generator that repeats one good picture of each class gets the highest score.

    Args:
        extractor: one that classifies; without it Inception, whose last layer then has no bias, as published.
        splits: parts of the fakes that are measured by themselves.
        seed: Seed of the order in which fakes come into splits; null leaves them in theirs.
        intervals: random halves that an interval is made of; 0 for none.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"inception_score": True}
    example: ClassVar[Mapping[str, Any]] = {
        "extractor": {"name": "classifier", "passes": 1, "size": 8, "width": 4},
        "splits": 2,
    }
    needs: ClassVar[frozenset[str]] = frozenset({"fakes"})

    def __init__(
        self,
        extractor: Extractor | None = None,
        splits: Annotated[int, Ge(1), Le(100_000)] = 10,
        seed: Seed | None = 2020,
        intervals: Annotated[int, Ge(0), Le(10_000)] = 0,
    ) -> None:
        self.extractor = extractor or Inception()
        if not hasattr(self.extractor, "logits"):
            raise UserError(
                f"the Inception Score needs an extractor that classifies, and "
                f"'{self.extractor.protocol.get('network')}' does not: take inception, efficientnet_lite0 or classifier"
            )
        self.splits = splits
        self.seed = seed
        self.intervals = intervals
        self.protocol = {"splits": splits, "metric_seed": seed}
        if intervals:
            self.protocol["intervals"] = intervals

    def compare(self, reals: Features | None, fakes: Features) -> dict[str, float]:
        """The score."""
        del reals
        return with_intervals(self._numbers, None, fakes, self.intervals, self.seed or 0)

    def _numbers(self, reals: Features | None, fakes: Features) -> Mapping[str, float]:
        del reals
        with torch.no_grad():
            logits = self.extractor.logits(fakes.rows)  # type: ignore[attr-defined]
        if self.seed is not None:
            order = np.random.RandomState(self.seed).permutation(len(logits))
            logits = logits[torch.from_numpy(order)]
        scores = np.array(split_scores(logits.double(), self.splits))
        return {"inception_score": float(scores.mean()), "std": float(scores.std())}


def split_scores(logits: Tensor, splits: int) -> list[float]:
    """The score of each of consecutive parts of class scores (N, K)."""
    count = len(logits)
    if count < splits:
        raise UserError(f"{count} fakes cannot be cut into {splits} splits")
    scores = []
    for part in range(splits):
        log = logits[part * count // splits : (part + 1) * count // splits].log_softmax(1)
        marginal = log.exp().mean(0, keepdim=True)
        scores.append(float((log.exp() * (log - marginal.log())).sum(1).mean().exp()))
    return scores
