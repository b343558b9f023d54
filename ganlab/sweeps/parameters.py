"""A sweep's parameters as W&B writes them: one shape for the distributions that take the same options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, MinLen
from pydantic import BaseModel, ConfigDict, FiniteFloat, model_validator

Quantum = Annotated[int | float, Gt(0)]


class Shape(BaseModel):
    """What all shapes share: values as they are written, and no key beyond the declared ones."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Constant(Shape):
    """The same value in every trial."""

    distribution: Literal["constant"] = "constant"
    value: Any


class Categorical(Shape):
    """One of some values, each as likely as the others."""

    distribution: Literal["categorical"] = "categorical"
    values: Annotated[list[Any], MinLen(1)]


class WeightedCategorical(Shape):
    """One of some values, each with its probability."""

    distribution: Literal["categorical_w_probabilities"] = "categorical_w_probabilities"
    values: Annotated[list[Any], MinLen(1)]
    probabilities: list[Annotated[float, Ge(0)]]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.probabilities) != len(self.values):
            raise ValueError(
                f"has {len(self.values)} values and {len(self.probabilities)} probabilities; give one each"
            )
        if abs(sum(self.probabilities) - 1) > 1e-6:
            raise ValueError(f"has probabilities whose sum is {sum(self.probabilities):g}; it must be 1")
        return self


class IntegerRange(Shape):
    """An integer between two, both included."""

    distribution: Literal["int_uniform"] = "int_uniform"
    min: int
    max: int

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_order(self.min, self.max)
        return self


class Range(Shape):
    """A number between two; the bounds of `log_uniform` and `inv_log_uniform` are exponents of e."""

    distribution: Literal[
        "uniform", "log_uniform", "log_uniform_values", "inv_log_uniform", "inv_log_uniform_values"
    ] = "uniform"
    min: FiniteFloat
    max: FiniteFloat

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_bounds(self.distribution, self.min, self.max)
        return self


class QuantisedRange(Shape):
    """A number between two, rounded to a multiple of `q`."""

    distribution: Literal["q_uniform", "q_log_uniform", "q_log_uniform_values"]
    min: FiniteFloat
    max: FiniteFloat
    q: Quantum = 1.0

    @model_validator(mode="after")
    def _check(self) -> Self:
        _check_bounds(self.distribution, self.min, self.max)
        return self


class Normal(Shape):
    """A normally distributed number, or e to the power of one."""

    distribution: Literal["normal", "log_normal"]
    mu: FiniteFloat = 0.0
    sigma: Annotated[float, Gt(0)] = 1.0


class QuantisedNormal(Normal):
    """The same, rounded to a multiple of `q`."""

    distribution: Literal["q_normal", "q_log_normal"]  # type: ignore[assignment]
    q: Quantum = 1.0


class Beta(Shape):
    """A number between 0 and 1 with a beta distribution."""

    distribution: Literal["beta"]
    a: Annotated[float, Gt(0)] = 1.0
    b: Annotated[float, Gt(0)] = 1.0


class QuantisedBeta(Beta):
    """The same, rounded to a multiple of `q`."""

    distribution: Literal["q_beta"]  # type: ignore[assignment]
    q: Quantum = 1.0


Parameter = (
    Constant
    | Categorical
    | WeightedCategorical
    | IntegerRange
    | Range
    | QuantisedRange
    | Normal
    | QuantisedNormal
    | Beta
    | QuantisedBeta
)

SHAPES: Mapping[str, type[Shape]] = {
    "constant": Constant,
    "categorical": Categorical,
    "categorical_w_probabilities": WeightedCategorical,
    "int_uniform": IntegerRange,
    "uniform": Range,
    "log_uniform": Range,
    "log_uniform_values": Range,
    "inv_log_uniform": Range,
    "inv_log_uniform_values": Range,
    "q_uniform": QuantisedRange,
    "q_log_uniform": QuantisedRange,
    "q_log_uniform_values": QuantisedRange,
    "normal": Normal,
    "log_normal": Normal,
    "q_normal": QuantisedNormal,
    "q_log_normal": QuantisedNormal,
    "beta": Beta,
    "q_beta": QuantisedBeta,
}
"""The distributions of W&B by their names."""


def implied_distribution(members: Mapping[Any, Any]) -> str | None:
    """The distribution that W&B takes a parameter without `distribution` for; None where the keys do not say."""
    if "value" in members:
        return "constant"
    if "values" in members:
        return "categorical_w_probabilities" if "probabilities" in members else "categorical"
    if "min" in members and "max" in members:
        whole = all(isinstance(members[end], int) for end in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    return None


def _check_bounds(distribution: str, low: float, high: float) -> None:
    _check_order(low, high)
    if distribution.endswith("_values") and low <= 0:
        raise ValueError(f"has a logarithm, so that min must be above 0, which {low:g} is not")
    if distribution.endswith("log_uniform") and max(abs(low), abs(high)) > 100:
        raise ValueError(
            f"has exponents of e as its bounds, so that {high:g} means e^{high:g}; for bounds that are values take "
            f"{distribution}_values"
        )


def _check_order(low: float, high: float) -> None:
    if low >= high:
        raise ValueError(f"has a min of {low:g}, which is not below its max of {high:g}")
