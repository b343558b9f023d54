"""W&B's distributions as Optuna's; those without a twin as a uniform number and their inverse distribution function."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from statistics import NormalDist
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from ganlab.sweeps.parameters import (
    Beta,
    Categorical,
    Constant,
    IntegerRange,
    Normal,
    Parameter,
    QuantisedRange,
    Range,
    WeightedCategorical,
)

_UNIT = FloatDistribution(0.0, 1.0)
_EDGE = 2.0**-40  # the inverse distribution function of an unbounded distribution is infinite at 0 and 1
_TAIL = 0.001
_DIGITS = 12  # of a multiple of q, which binary fractions miss by a little


@dataclass(frozen=True)
class Dimension:
    """One searched parameter: what Optuna searches, and the parameter's value for what Optuna has chosen.

    `probes` are values at which a sweep is checked before it starts: all of a list, else both ends and the middle; of
    an unbounded distribution, all but the outermost thousandths.
    """

    distribution: BaseDistribution
    value: Callable[[Any], Any]
    probes: tuple[Any, ...]


Space = Mapping[str, Dimension]


def space_of(parameters: Mapping[str, Parameter]) -> Space:
    """The dimensions of searched parameters, by their dotted keys."""
    return {key: dimension_of(parameter) for key, parameter in parameters.items()}


def values_of(space: Space, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters' values for what Optuna has chosen."""
    return {key: dimension.value(chosen[key]) for key, dimension in space.items()}


def dimension_of(parameter: Parameter) -> Dimension:
    """The dimension of one parameter that is not constant."""
    dimension = _continuous(parameter)
    return _quantised(dimension, quantum) if (quantum := getattr(parameter, "q", None)) else dimension


def _continuous(parameter: Parameter) -> Dimension:
    """The dimension before its values are rounded to multiples."""
    match parameter:
        case Categorical(values=values):
            return _categorical(values)
        case WeightedCategorical():
            return _inverse(_weighted(parameter), tuple(parameter.values))
        case IntegerRange(min=low, max=high):
            return Dimension(IntDistribution(low, high), int, _ends(low, (low + high) // 2, high))
        case Range() | QuantisedRange():
            return _range(parameter)
        case Normal():
            return _normal(parameter)
        case Beta():
            return _beta(parameter)
        case Constant():
            raise AssertionError("a constant is not searched")


def _categorical(values: Sequence[Any]) -> Dimension:
    # Optuna keeps scalars alone, and cannot tell 1 from true.
    scalars = all(isinstance(value, str | int | float) and not isinstance(value, bool) for value in values)
    choices = list(values) if scalars and len(set(values)) == len(values) else [_text(value) for value in values]
    if len(set(choices)) < len(choices):
        choices = [f"{index}: {choice}" for index, choice in enumerate(choices)]
    distribution = CategoricalDistribution(choices)
    return Dimension(distribution, lambda chosen: values[int(distribution.to_internal_repr(chosen))], tuple(values))


def _text(value: Any) -> str:
    return json.dumps(value)


def _weighted(parameter: WeightedCategorical) -> Callable[[float], Any]:
    bounds = list(accumulate(parameter.probabilities))

    def value(share: float) -> Any:
        index = next((index for index, bound in enumerate(bounds) if share < bound), None)
        likely = [index for index, probability in enumerate(parameter.probabilities) if probability > 0]
        return parameter.values[likely[-1] if index is None else index]

    return value


def _range(parameter: Range | QuantisedRange) -> Dimension:
    name = parameter.distribution.removeprefix("q_")
    low, high = float(parameter.min), float(parameter.max)
    if name == "log_uniform":
        low, high = math.exp(low), math.exp(high)
    elif name == "inv_log_uniform":
        low, high = math.exp(-high), math.exp(-low)
    # log(1/x) is uniform where log(x) is: with bounds that are values, the inverse is the same distribution.
    logarithmic = name != "uniform"
    middle = math.sqrt(low * high) if logarithmic else (low + high) / 2
    return Dimension(FloatDistribution(low, high, log=logarithmic), float, _ends(low, middle, high))


def _normal(parameter: Normal) -> Dimension:
    normal = NormalDist(parameter.mu, parameter.sigma)
    if parameter.distribution.endswith("log_normal"):
        return _inverse(lambda share: math.exp(normal.inv_cdf(_inside(share))))
    return _inverse(lambda share: normal.inv_cdf(_inside(share)))


def _beta(parameter: Beta) -> Dimension:
    from scipy.special import betaincinv

    return _inverse(lambda share: float(betaincinv(parameter.a, parameter.b, share)))


def _inverse(value: Callable[[float], Any], probes: tuple[Any, ...] | None = None) -> Dimension:
    """A uniform number between 0 and 1 that an inverse distribution function turns into the value."""
    return Dimension(_UNIT, value, probes or tuple(value(share) for share in (_TAIL, 0.5, 1 - _TAIL)))


def _quantised(dimension: Dimension, quantum: float) -> Dimension:
    """The values rounded to multiples; whole numbers where the quantum is one."""

    def nearest(value: float) -> Any:
        count = round(value / quantum)
        return count * quantum if isinstance(quantum, int) else round(count * quantum, _DIGITS)

    rounded = _ends(*map(nearest, dimension.probes))
    return Dimension(dimension.distribution, lambda chosen: nearest(dimension.value(chosen)), rounded)


def _inside(share: float) -> float:
    return min(max(share, _EDGE), 1 - _EDGE)


def _ends(*values: Any) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))
