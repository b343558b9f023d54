"""Features of many images, with what metrics make of them more than once."""

from __future__ import annotations

import functools

import torch
from torch import Tensor

from ganlab.errors import UserError

_ROWS = 8192  # that are in float64 at a time


class Features:
    """Rows (N, D) float32 on the CPU, with labels (N,) where there are classes; or their mean and covariance alone.

    What metrics share is computed once and kept: moments, and distances to neighbours. Of published statistics there
    are no rows, and `count` is None where nobody says how many examples they are of.
    """

    def __init__(self, rows: Tensor, labels: Tensor | None = None) -> None:
        self._rows: Tensor | None = rows
        self.labels = labels
        self.count: int | None = len(rows)
        self.dimensions: int = rows.shape[1]
        self._nearest: Tensor | None = None

    @classmethod
    def of_statistics(cls, mean: Tensor, covariance: Tensor, count: int | None = None) -> Features:
        """Features of which the mean (D,) and the covariance (D, D) are known, in float64."""
        made = cls(torch.empty(0, len(mean)))
        made._rows, made.count = None, count
        made.__dict__["mean"] = mean.double()
        made.__dict__["covariance"] = covariance.double()
        return made

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def has_rows(self) -> bool:
        """Whether there are more than mean and covariance."""
        return self._rows is not None

    @property
    def rows(self) -> Tensor:
        """(N, D). Raises `UserError` where only mean and covariance are known."""
        if self._rows is None:
            raise UserError(
                "this metric needs the features of every real, but the reference holds their mean and covariance "
                "alone; give the pictures as the reference"
            )
        return self._rows

    def chosen(self, places: Tensor) -> Features:
        """Those at some places, as features of their own."""
        return Features(self.rows[places], None if self.labels is None else self.labels[places])

    @functools.cached_property
    def mean(self) -> Tensor:
        """(D,) in float64."""
        return sum_of_rows(self.rows) / len(self.rows)

    @functools.cached_property
    def covariance(self) -> Tensor:
        """(D, D) in float64, divided by N - 1."""
        if len(self.rows) < 2:
            raise UserError(f"a covariance takes at least 2 examples, not {len(self.rows)}")
        total = torch.zeros(self.dimensions, self.dimensions, dtype=torch.float64)
        for part in self.rows.split(_ROWS):
            centred = (part.double() - self.mean).numpy()
            total += torch.from_numpy(centred.T @ centred)  # numpy knows that it is symmetric, and makes half of it
        return total / (len(self.rows) - 1)

    @functools.cached_property
    def covariance_root(self) -> Tensor:
        """The symmetric square root (D, D) of the covariance, in float64."""
        values, vectors = torch.linalg.eigh(self.covariance)
        root: Tensor = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
        return root

    def radii(self, k: int) -> Tensor:
        """Distances (N,) from each row to its k-th nearest other."""
        from ganlab.evaluation.feature_neighbours import nearest_others

        if len(self.rows) <= k:
            raise UserError(f"{len(self.rows)} examples are too few for the distance to the neighbour number {k}")
        if self._nearest is None or self._nearest.shape[1] < k:
            self._nearest = nearest_others(self.rows, min(max(k, 5), len(self.rows) - 1))
        return self._nearest[:, k - 1]


def sum_of_rows(rows: Tensor) -> Tensor:
    """(D,), in float64."""
    total = torch.zeros(rows.shape[1], dtype=torch.float64)
    for part in rows.split(_ROWS):
        total += part.double().sum(0)
    return total


def seem_identical(first: Features, second: Features) -> bool:
    """Whether two sets of features look like those of the same images, in any order."""
    if not (first.has_rows and second.has_rows) or len(first) != len(second) or first.dimensions != second.dimensions:
        return False
    one, other = (features.rows.double().norm(dim=1).sort().values for features in (first, second))
    return torch.allclose(one, other, rtol=1e-5, atol=1e-9) and torch.allclose(first.mean, second.mean, rtol=1e-4)
