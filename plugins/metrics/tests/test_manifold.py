"""Coverage of a curve that samples are known to lie on."""

import math

import pytest
import torch
from ganlab_metrics.manifold import ManifoldCoverage

from ganlab import DataFacts, UserError

LINE = torch.stack([(torch.arange(1000) + 0.5) / 1000, torch.zeros(1000)], 1)


@pytest.fixture
def metric():
    facts = DataFacts((2,), 100, "x", extras={"curve": LINE.tolist(), "standard_deviation": 0.01})
    return ManifoldCoverage(facts, parts=10)


def test_samples_over_the_whole_curve(metric):
    generator = torch.Generator().manual_seed(0)
    along = torch.rand(20_000, generator=generator)
    metric.update(torch.stack([along, 0.01 * torch.randn(20_000, generator=generator)], 1), real=False)
    values = metric.compute()
    assert values["good"] == pytest.approx(math.erf(3 / math.sqrt(2)), abs=2e-3)
    assert values["covered"] == 1
    assert values["kl"] < 1e-3


def test_samples_over_half_of_it_and_beside_it(metric):
    along = torch.linspace(0.0005, 0.4995, 300)
    metric.update(torch.stack([along, torch.full_like(along, 0.029)], 1), real=False)
    metric.update(torch.stack([along, torch.full_like(along, 0.031)], 1)[::3], real=False)
    assert metric.needs == {"fakes"}
    values = metric.compute()
    assert values["good"] == 0.75
    assert values["covered"] == 0.5
    assert values["kl"] == pytest.approx(math.log(2), abs=1e-3)


def test_nothing_good_is_as_far_from_uniform_as_can_be(metric):
    metric.update(LINE + 5, real=False)
    assert metric.compute() == pytest.approx({"good": 0, "covered": 0, "kl": math.log(10)})
    metric.reset()
    with pytest.raises(ValueError, match="at least one"):
        metric.compute()


def test_refuses_data_without_a_curve():
    with pytest.raises(UserError, match="curve"):
        ManifoldCoverage(DataFacts((2,), 10, "x"))
