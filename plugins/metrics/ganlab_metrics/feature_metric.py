"""What metrics of features share: an interval from halves of the examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch

from ganlab.evaluation.feature_set import Features

Numbers = Callable[[Features | None, Features], Mapping[str, float]]


def with_intervals(
    numbers: Numbers, reals: Features | None, fakes: Features, halves: int, seed: int
) -> dict[str, float]:
    """The numbers, and for each `low` and `high`, between which 95% of what other samples would give is expected.

    The numbers of random halves of both sets, drawn without replacement, spread as those of whole sets do (the
    delete-half jackknife of Shao and Wu, 1989); their own mean is biased and is not used. Duplicates, which a bootstrap
    would make, would break distances between neighbours. `halves` is how many are drawn; 0 leaves the interval out.
    """
    values = dict(numbers(reals, fakes))
    if not halves:
        return values
    generator = torch.Generator().manual_seed(seed)
    drawn = [
        numbers(None if reals is None else _half(reals, generator), _half(fakes, generator)) for _ in range(halves)
    ]
    for name, value in list(values.items()):
        spread = np.array([of_half[name] for of_half in drawn])
        low, high = np.quantile(spread - spread.mean(), [0.025, 0.975])
        values |= {f"{name}/low": value + float(low), f"{name}/high": value + float(high)}
    return values


def _half(features: Features, generator: torch.Generator) -> Features:
    return features.chosen(torch.randperm(len(features), generator=generator)[: len(features) // 2])
