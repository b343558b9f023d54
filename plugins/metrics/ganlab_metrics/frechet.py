"""Frechet distances: FID and its kin, in any features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import UserError
from ganlab.bounds import Seed
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_metrics import FEW_SAMPLES
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.dinov2 import DINOv2
from ganlab_metrics.feature_metric import with_intervals
from ganlab_metrics.inception import Inception

Halves = Annotated[int, Ge(0), Le(10_000)]


class FrechetDistance:
    """Frechet distance of two normal distributions with the means and covariances of features (Heusel et al., 2017).

    It is biased: it falls with the number of fakes and of reals, so that only numbers of equal counts can be compared.
    Computed in float64 from the eigenvalues of a symmetric matrix.

    Args:
        extractor: the space of features.
        intervals: random halves that an interval is made of; 0 for none.
        seed: Seed of the halves.
    """

    higher_is_better: ClassVar[bool] = False
    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels"}
    name = "fd"
    moments_only = True

    def __init__(self, extractor: Extractor, intervals: Halves = 0, seed: Seed = 0) -> None:
        self.extractor = extractor
        self.intervals = intervals
        self.seed = seed
        self.moments_only = intervals == 0
        self.protocol: dict[str, object] = {}
        if intervals:
            self.protocol |= {"intervals": intervals, "metric_seed": seed}
        self._notes: list[str] = []

    def compare(self, reals: Features, fakes: Features) -> dict[str, float]:
        """The distance."""
        self._notes = list(_few(reals, fakes))
        return with_intervals(self._numbers, reals, fakes, self.intervals, self.seed)

    def notes(self) -> list[str]:
        """Whether there are too few examples."""
        return self._notes

    def _numbers(self, reals: Features | None, fakes: Features) -> Mapping[str, float]:
        assert reals is not None
        return {self.name: frechet_distance(reals, fakes)}


class FID(FrechetDistance):
    """FID: Frechet distance of Inception features; of others, where an `extractor` is named.

    Args:
        extractor: the space of features; without it Inception's as TensorFlow's graph has them (`fid-tf`).
        intervals: random halves that an interval is made of; 0 for none.
        seed: Seed of the halves.
    """

    name = "fid"

    def __init__(self, extractor: Extractor | None = None, intervals: Halves = 0, seed: Seed = 0) -> None:
        super().__init__(extractor or Inception(), intervals, seed)


class FIDTensorFlow(FID):
    """`fid-tf`: FID as torch-fidelity and the original code have it, with TensorFlow 1's bilinear resize.

    Args:
        weights: a file of Inception's weights, where it is not where torch keeps its downloads.
    """

    example: ClassVar[Mapping[str, Any]] = {}
    name = "fid-tf"

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(Inception(resize="tf1_bilinear", weights=weights))


class FIDClean(FID):
    """`fid-clean`: FID as clean-fid has it (Parmar et al., 2022), with an antialiased bicubic resize.

    Args:
        weights: a file of Inception's weights, where it is not where torch keeps its downloads.
    """

    example: ClassVar[Mapping[str, Any]] = {}
    name = "fid-clean"

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(Inception(resize="bicubic", weights=weights))


class FDDINOv2(FrechetDistance):
    """`fd-dinov2`: Frechet distance in features of DINOv2 ViT-L/14 (Stein et al., 2023), at 224 pixels, bicubic.

    Args:
        weights: a file of DINOv2's weights, where it is not where torch keeps its downloads.
    """

    example: ClassVar[Mapping[str, Any]] = {}
    name = "fd-dinov2"

    def __init__(self, weights: str | None = None) -> None:
        super().__init__(DINOv2(model="l", resize="bicubic", weights=weights))


def frechet_distance(first: Features, second: Features) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), in float64.

    The last trace is the sum of the square roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric. Of
    sets with fewer examples than dimensions it is the sum of the singular values of their centred features' products:
    the same number, sooner. Raises `UserError` for features of different spaces.
    """
    if first.dimensions != second.dimensions:
        raise UserError(
            f"the reference has {first.dimensions} features and the extractor makes {second.dimensions}: it is of "
            "another space"
        )
    if min(first.count or 2, second.count or 2) < 2:
        raise UserError("a Frechet distance takes at least 2 reals and 2 fakes")
    difference = (first.mean - second.mean).square().sum()
    if first.has_rows and second.has_rows and max(len(first), len(second)) < first.dimensions:
        return float(difference + _between_few(first, second))
    root = first.covariance_root
    eigenvalues = torch.linalg.eigvalsh(root @ second.covariance @ root)
    shared = eigenvalues.clamp(min=0).sqrt().sum()
    return float(difference + first.covariance.trace() + second.covariance.trace() - 2 * shared)


def _between_few(first: Features, second: Features) -> Tensor:
    one, other = _scaled(first), _scaled(second)
    shared = torch.linalg.svdvals(one @ other.T).sum()
    return one.square().sum() + other.square().sum() - 2 * shared


def _scaled(features: Features) -> Tensor:
    """Rows of which the covariance is the product with themselves."""
    return (features.rows.double() - features.mean) / (len(features) - 1) ** 0.5


def _few(reals: Features, fakes: Features) -> list[str]:
    counts = [count for count in (reals.count, fakes.count) if count is not None]
    if not counts or min(counts) >= FEW_SAMPLES:
        return []
    return [
        f"made of {min(counts)} examples: below {FEW_SAMPLES} a Frechet distance is mostly bias; compare it with "
        "numbers of exactly as many only, or take kid"
    ]
