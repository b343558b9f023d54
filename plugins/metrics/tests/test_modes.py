"""Mode coverage on samples with known modes."""

import math

import pytest
import torch
from ganlab_metrics.modes import ModeCoverage

from ganlab import DataFacts, UserError

CENTRES = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]


@pytest.fixture
def facts():
    return DataFacts((2,), 100, "x", value_range=(-1.0, 1.0), extras={"centres": CENTRES, "standard_deviation": 0.1})


def test_counts_modes_good_samples_and_divergence(facts):
    metric = ModeCoverage(facts)
    assert metric.needs == {"fakes"}
    metric.update(torch.tensor([[0.0, 0.29], [0.0, 0.0], [0.02, 0.0]]), real=False)
    metric.update(torch.tensor([[1.0, 0.31]]), real=False)
    shares = [3 / 4, 1 / 4]
    expected = sum(share * math.log(share * 4) for share in shares)
    values = metric.compute()
    assert values["captured"] == 1
    assert values["modes"] == 4
    assert values["good"] == 0.75
    assert values["kl"] == pytest.approx(expected)


def test_a_mode_may_need_more_than_one_sample(facts):
    metric = ModeCoverage(facts, least=0.5)
    samples = torch.tensor(CENTRES).repeat_interleave(torch.tensor([25, 25, 37, 13]), 0)
    metric.update(samples, real=False)
    metric.update(torch.tensor([CENTRES[3]]) + 1, real=False)
    assert metric.compute()["captured"] == 4
    metric.update(torch.tensor([CENTRES[0]] * 10), real=False)
    assert metric.compute()["captured"] == 3


def test_the_mixture_itself_is_found_whole(facts):
    metric = ModeCoverage(facts)
    generator = torch.Generator().manual_seed(0)
    modes = torch.randint(4, (20_000,), generator=generator)
    metric.update(torch.tensor(CENTRES)[modes] + 0.1 * torch.randn(20_000, 2, generator=generator), real=False)
    values = metric.compute()
    assert values["captured"] == 4
    assert values["good"] == pytest.approx(1 - math.exp(-4.5), abs=5e-3)  # Rayleigh distribution at 3
    assert values["kl"] < 1e-3
    metric.reset()
    metric.update(torch.tensor([CENTRES[2]]), real=False)
    assert metric.compute()["captured"] == 1


def test_refuses_data_without_centres():
    with pytest.raises(UserError, match="centres"):
        ModeCoverage(DataFacts((2,), 10, "x"))
