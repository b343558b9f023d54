"""Whether fakes are copies of training images: their distances, held against those of reals that training never saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ganlab import UserError
from ganlab.contracts import Extractor
from ganlab.evaluation.feature_neighbours import nearest
from ganlab.evaluation.feature_set import Features
from ganlab_metrics.inception import Inception


class Memorisation:
    """The chance that a fake is nearer to the training's images than a real is that the training never saw.

    0.5 is what new examples of the same distribution have, 1 is copying, less than 0.5 is distance from the data (the
    statistic of Mann and Whitney, as Meehan et al., 2020, use it). Without held-out reals, training images stand for
    them, each without itself. `copies` is the share of fakes nearer to a training image than 99% of these reals are.

    Args:
        extractor: the space of features; without it Inception's.
        examples: training images that are searched, at most.
    """

    example: ClassVar[Mapping[str, Any]] = {"extractor": "pixels"}
    needs: ClassVar[frozenset[str]] = frozenset({"fakes"})

    def __init__(
        self, extractor: Extractor | None = None, examples: Annotated[int, Ge(2), Le(10_000_000)] = 100_000
    ) -> None:
        self.extractor = extractor or Inception()
        self.examples = examples
        self.protocol: dict[str, object] = {"examples": examples}

    def compare(
        self, reals: Features | None, fakes: Features, training: Features | None, held_out: Features | None
    ) -> dict[str, float]:
        """The chance, and the median distances that it is made of."""
        del reals
        if training is None:
            raise UserError("memorisation needs the training's images, and there are none here")
        of_fakes = nearest(fakes.rows, training.rows)[0].flatten()
        of_reals = training.radii(1) if held_out is None else nearest(held_out.rows, training.rows)[0].flatten()
        self.protocol = {"examples": len(training), "held_out": 0 if held_out is None else len(held_out)}
        return {
            "memorisation": _chance_below(of_fakes, of_reals),
            "copies": float((of_fakes < of_reals.quantile(0.01)).double().mean()),
            "median_distance/fakes": float(of_fakes.median()),
            "median_distance/reals": float(of_reals.median()),
        }


def _chance_below(first: Tensor, second: Tensor) -> float:
    """The chance that a number of the first is below one of the second; equal ones count half."""
    ordered = second.sort().values
    at_most = torch.searchsorted(ordered, first, right=True)
    below = torch.searchsorted(ordered, first)
    above = len(second) - at_most
    return float((above + (at_most - below) / 2).double().mean() / len(second))
