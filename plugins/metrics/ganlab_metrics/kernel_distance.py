"""Maximum mean discrepancies of features: KID and CMMD."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import UserError
from ganlab.bounds import Seed
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.clip import CLIP
from ganlab_metrics.inception import Inception

_BLOCK = 4096
_WIDTH = 10.0
_SCALE = 1000.0


class KID:
    """KID: squared maximum mean discrepancy with the kernel (x'y / D + 1)^3, without bias (Binkowski et al., 2018).

    The mean over random subsets; `std` is the deviation of a subset from it, and `low` and `high` are the interval in
    which the mean over all the data lies with 95%, as far as the subsets tell. All three are left out where a subset is
    all there is. Papers show it times 1000. It can be negative where the sets are alike. Subsets are drawn as
    torch-fidelity draws them.

    Args:
        extractor: the space of features; without it Inception's.
        subsets: how many.
        subset_size: examples of each side in a subset; with fewer examples, all there are.
        seed: Seed of the subsets.
    """

    higher_is_better: ClassVar[Mapping[str, bool]] = {"kid": False}
    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels", "subsets": 3, "subset_size": 20}

    def __init__(
        self,
        extractor: Extractor | None = None,
        subsets: Annotated[int, Ge(1), Le(100_000)] = 100,
        subset_size: Annotated[int, Ge(2), Le(100_000)] = 1000,
        seed: Seed = 2020,
    ) -> None:
        self.extractor = extractor or Inception()
        self.subsets = subsets
        self.subset_size = subset_size
        self.seed = seed
        self.protocol = {"subsets": subsets, "subset_size": subset_size, "metric_seed": seed}

    def compare(self, reals: Features, fakes: Features) -> dict[str, float]:
        """The distance, with its spread over subsets."""
        of_subsets = self._of_subsets(reals.rows, fakes.rows)
        mean, deviation = float(of_subsets.mean()), float(of_subsets.std())
        share = self.subset_size / min(len(reals), len(fakes))
        if share >= 1:  # of the smaller side all subsets are the same, and tell little of the spread
            return {"kid": mean}
        error = 1.96 * deviation * share**0.5  # that of all the data is smaller than a subset's
        return {"kid": mean, "std": deviation, "low": mean - error, "high": mean + error}

    def _of_subsets(self, reals: Tensor, fakes: Tensor) -> np.ndarray:
        size = min(self.subset_size, len(reals), len(fakes))
        if size < 2:
            raise UserError("kid takes at least 2 reals and 2 fakes")
        random = np.random.RandomState(self.seed)
        found = []
        for _ in range(self.subsets):
            # torch-fidelity's order: fakes are its first input.
            of_fakes = torch.from_numpy(random.choice(len(fakes), size, replace=False))
            of_reals = torch.from_numpy(random.choice(len(reals), size, replace=False))
            found.append(polynomial_discrepancy(reals[of_reals], fakes[of_fakes]))
        return np.array(found)


def polynomial_discrepancy(first: Tensor, second: Tensor) -> float:
    """The unbiased squared discrepancy of two sets of as many examples, with the kernel of KID.

    By numpy, which takes half the time for a product with itself. Sums of rows are in float32, and added in float64.
    """
    count, dimensions = first.shape
    one, other = first.numpy(), second.numpy()

    def kernel(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        base = rows @ columns.T
        base /= dimensions
        base += 1
        cubes: np.ndarray = base * base * base
        return cubes

    def total(values: np.ndarray) -> float:
        return float(values.sum(-1).sum(dtype=np.float64))

    within = sum(total(k) - total(k.diagonal()[:, None]) for k in (kernel(one, one), kernel(other, other)))
    return within / (count * (count - 1)) - 2 * total(kernel(one, other)) / count**2


class CMMD:
    """CMMD: maximum mean discrepancy of CLIP's embeddings with a Gaussian kernel (Jayasumana et al., 2024).

    The embeddings have unit length, the kernel has the width 10, the discrepancy is the biased one, times 1000, as
    published.

    Args:
        extractor: the space of features; without it CLIP ViT-L/14 at 336 pixels, with a bicubic resize.
    """

    higher_is_better: ClassVar[bool] = False
    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels"}

    def __init__(self, extractor: Extractor | None = None) -> None:
        self.extractor = extractor or CLIP("vit-l-14-336px", resize="bicubic")

    def compare(self, reals: Features, fakes: Features) -> dict[str, float]:
        """The discrepancy."""
        one, other = (_unit(features.rows) for features in (reals, fakes))
        discrepancy = _mean_kernel(one, one) + _mean_kernel(other, other) - 2 * _mean_kernel(one, other)
        return {"cmmd": _SCALE * discrepancy}


def _unit(rows: Tensor) -> Tensor:
    return torch.nn.functional.normalize(rows.double(), dim=1)


def _mean_kernel(first: Tensor, second: Tensor) -> float:
    """The mean of exp(-|x - y|^2 / (2 width^2)) over all pairs, block by block."""
    return _sum_of_blocks(first, second, lambda products: torch.exp((products - 1) / _WIDTH**2)) / (
        len(first) * len(second)
    )


def _sum_of_blocks(first: Tensor, second: Tensor, function: Callable[[Tensor], Tensor]) -> float:
    return sum(float(function(one @ other.T).sum()) for one in first.split(_BLOCK) for other in second.split(_BLOCK))
