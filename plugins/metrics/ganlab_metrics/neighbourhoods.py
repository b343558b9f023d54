"""Fidelity and diversity by balls around examples: improved precision and recall, density and coverage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le

from ganlab.bounds import Seed
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_neighbours import distance_blocks
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.feature_metric import with_intervals
from ganlab_metrics.inception import Inception


class _Neighbourhoods:
    """What metrics of distances to the k-th neighbour share; a subclass computes their numbers."""

    higher_is_better: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels"}

    def __init__(self, extractor: Extractor | None, k: int, intervals: int, seed: int) -> None:
        self.extractor = extractor or Inception()
        self.k = k
        self.intervals = intervals
        self.seed = seed
        self.protocol = {"k": k} | ({"intervals": intervals, "metric_seed": seed} if intervals else {})

    def compare(self, reals: Features, fakes: Features) -> dict[str, float]:
        """The metric's numbers, with intervals if they are wanted."""
        return with_intervals(self._numbers, reals, fakes, self.intervals, self.seed)

    @abstractmethod
    def _numbers(self, reals: Features | None, fakes: Features) -> Mapping[str, float]:
        """The numbers of these examples."""


class PrecisionRecall(_Neighbourhoods):
    """Improved precision and recall (Kynkaanniemi et al., 2019): shares of fakes near reals, and of reals near fakes.

    Near is within the distance from a neighbour to its own k-th neighbour, or just at it. `f_score` is their harmonic
    mean. Both depend on the number of examples and on the features: the published ones are VGG16's, torch-fidelity's
    default is Inception's. Distances are computed block by block.

    Args:
        extractor: the space of features; without it Inception's.
        k: Number of the neighbour, counted from the nearest.
        intervals: random halves that an interval is made of; 0 for none.
        seed: Seed of the halves.
    """

    def __init__(
        self,
        extractor: Extractor | None = None,
        k: Annotated[int, Ge(1), Le(10_000)] = 3,
        intervals: Annotated[int, Ge(0), Le(10_000)] = 0,
        seed: Seed = 0,
    ) -> None:
        super().__init__(extractor, k, intervals, seed)

    def _numbers(self, reals: Features | None, fakes: Features) -> Mapping[str, float]:
        assert reals is not None
        real_radii, fake_radii = reals.radii(self.k), fakes.radii(self.k)
        inside = torch.zeros(len(fakes), dtype=torch.bool)
        reached = torch.zeros(len(reals), dtype=torch.bool)
        for rows, distances in distance_blocks(fakes.rows, reals.rows):
            inside[rows] = (distances <= real_radii).any(1)
            reached |= (distances <= fake_radii[rows, None]).any(0)
        precision, recall = float(inside.double().mean()), float(reached.double().mean())
        f_score = 2 * precision * recall / max(precision + recall, 1e-5)
        return {"precision": precision, "recall": recall, "f_score": f_score}


class DensityCoverage(_Neighbourhoods):
    """Density and coverage (Naeem et al., 2020): robust forms of precision and recall, by balls around reals alone.

    Density is how many balls of reals a fake lies in, divided by k: 1 for fakes like the reals, more for fakes where
    reals lie close. Coverage is the share of reals whose ball holds a fake. Within is closer than the k-th neighbour.

    Args:
        extractor: the space of features; without it Inception's.
        k: Number of the neighbour, counted from the nearest.
        intervals: random halves that an interval is made of; 0 for none.
        seed: Seed of the halves.
    """

    def __init__(
        self,
        extractor: Extractor | None = None,
        k: Annotated[int, Ge(1), Le(10_000)] = 5,
        intervals: Annotated[int, Ge(0), Le(10_000)] = 0,
        seed: Seed = 0,
    ) -> None:
        super().__init__(extractor, k, intervals, seed)

    def _numbers(self, reals: Features | None, fakes: Features) -> Mapping[str, float]:
        assert reals is not None
        radii = reals.radii(self.k)
        count = 0
        covered = torch.zeros(len(reals), dtype=torch.bool)
        for _, distances in distance_blocks(fakes.rows, reals.rows):
            within = distances < radii
            count += int(within.sum())
            covered |= within.any(0)
        return {"density": count / (self.k * len(fakes)), "coverage": float(covered.double().mean())}
