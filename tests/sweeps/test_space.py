"""Optuna's choices and W&B's values, against scipy's inverse distribution functions and against W&B's own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy import stats

from ganlab.sweeps.parameters import SHAPES, implied_distribution
from ganlab.sweeps.space import Dimension, dimension_of

SHARES = np.linspace(0.02, 0.98, 49)

CONTINUOUS = [
    ({"distribution": "uniform", "min": -2.0, "max": 3.0}, stats.uniform(-2, 5)),
    ({"distribution": "log_uniform", "min": -4, "max": 1}, stats.loguniform(np.exp(-4), np.e)),
    ({"distribution": "log_uniform_values", "min": 1e-4, "max": 10}, stats.loguniform(1e-4, 10)),
    ({"distribution": "inv_log_uniform", "min": -1, "max": 4}, stats.loguniform(np.exp(-4), np.e)),
    ({"distribution": "inv_log_uniform_values", "min": 1e-4, "max": 10}, stats.loguniform(1e-4, 10)),
    ({"distribution": "normal", "mu": 2.0, "sigma": 0.5}, stats.norm(2, 0.5)),
    ({"distribution": "log_normal", "mu": -1.0, "sigma": 0.5}, stats.lognorm(s=0.5, scale=np.exp(-1))),
    ({"distribution": "beta", "a": 2.0, "b": 5.0}, stats.beta(2, 5)),
]

QUANTISED = [
    {"distribution": "q_uniform", "min": -2.3, "max": 3.0, "q": 0.25},
    {"distribution": "q_uniform", "min": 1, "max": 64, "q": 8},
    {"distribution": "q_log_uniform", "min": 0, "max": 4, "q": 2},
    {"distribution": "q_log_uniform_values", "min": 1, "max": 100, "q": 0.5},
    {"distribution": "q_normal", "mu": 10, "sigma": 4, "q": 3},
    {"distribution": "q_log_normal", "mu": 1, "sigma": 1, "q": 0.1},
    {"distribution": "q_beta", "a": 2, "b": 5, "q": 0.05},
]


def dimension(written: dict) -> Dimension:
    name = written.get("distribution") or implied_distribution(written)
    return dimension_of(SHAPES[name].model_validate({**written, "distribution": name}))


def at(share: float, found: Dimension) -> object:
    """The value at a share of what Optuna draws from evenly."""
    one = found.distribution
    assert isinstance(one, FloatDistribution)
    if one.log:
        return found.value(float(np.exp(np.log(one.low) + share * (np.log(one.high) - np.log(one.low)))))
    return found.value(one.low + share * (one.high - one.low))


def wandb_parameter(written: dict):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pydantic's names
        sweeps = pytest.importorskip("sweeps.params", reason="W&B's own formulas: pip install --no-deps sweeps jsonref")
    return sweeps.HyperParameter("a", written)


@pytest.mark.parametrize(("written", "reference"), CONTINUOUS, ids=lambda each: str(each)[:40])
def test_continuous_distributions_are_scipys(written: dict, reference) -> None:
    found = dimension(written)
    values = [at(share, found) for share in SHARES]
    np.testing.assert_allclose(values, reference.ppf(SHARES), rtol=1e-9)


@pytest.mark.parametrize("written", [each for each, _ in CONTINUOUS] + QUANTISED, ids=str)
def test_distributions_are_wandbs(written: dict) -> None:
    found, theirs = dimension(written), wandb_parameter(written)
    values = [at(share, found) for share in SHARES]
    np.testing.assert_allclose(values, [theirs.ppf(share) for share in SHARES], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("written", QUANTISED, ids=str)
def test_quantised_values_are_multiples_and_whole_where_the_quantum_is(written: dict) -> None:
    found = dimension(written)
    for share in SHARES:
        value = at(share, found)
        assert value == pytest.approx(round(value / written["q"]) * written["q"], abs=1e-12)
        assert isinstance(value, int) == isinstance(written["q"], int)


def test_optuna_searches_the_twin_of_a_distribution() -> None:
    assert dimension({"min": 1, "max": 9}).distribution == IntDistribution(1, 9)
    assert dimension({"min": 0.0, "max": 2.0}).distribution == FloatDistribution(0, 2)
    logarithmic = dimension({"distribution": "log_uniform_values", "min": 0.1, "max": 2}).distribution
    assert logarithmic == FloatDistribution(0.1, 2, log=True)
    exponents = dimension({"distribution": "log_uniform", "min": -1, "max": 2}).distribution
    assert exponents == FloatDistribution(np.exp(-1), np.exp(2), log=True)
    assert dimension({"values": ["a", "b"]}).distribution == CategoricalDistribution(["a", "b"])


@pytest.mark.parametrize("values", [[1, 2], [1, 1.0, True], [None, [1, 2], {"name": "r1"}], ["a", "a"]], ids=str)
def test_categories_of_any_kind_come_back(values: list) -> None:
    found = dimension({"values": values})
    assert isinstance(found.distribution, CategoricalDistribution)
    back = [found.value(choice) for choice in found.distribution.choices]
    assert [(type(value), value) for value in back] == [(type(value), value) for value in values]


def test_weighted_categories_come_as_often_as_they_shall() -> None:
    found = dimension({"values": ["a", "b", "c"], "probabilities": [0.5, 0.0, 0.5]})
    drawn = [at((index + 0.5) / 1000, found) for index in range(1000)]
    assert {value: drawn.count(value) for value in "abc"} == {"a": 500, "b": 0, "c": 500}
    assert found.value(1.0) == "c"


def test_ends_of_unbounded_distributions_are_finite() -> None:
    found = dimension({"distribution": "normal"})
    assert np.isfinite([found.value(0.0), found.value(1.0)]).all()
    assert found.probes == pytest.approx(tuple(stats.norm.ppf([0.001, 0.5, 0.999])))


def test_probes_are_all_categories_and_the_ends_of_ranges() -> None:
    assert dimension({"values": [3, 1, 2]}).probes == (3, 1, 2)
    assert dimension({"min": 1, "max": 9}).probes == (1, 5, 9)
    assert dimension({"distribution": "log_uniform_values", "min": 0.01, "max": 1}).probes == pytest.approx(
        (0.01, 0.1, 1)
    )
    assert dimension({"distribution": "q_uniform", "min": 1, "max": 64, "q": 8}).probes == (0, 32, 64)
