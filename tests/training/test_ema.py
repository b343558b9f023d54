"""The average against its closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganlab.schedules import Schedule
from ganlab.training.ema import Averages


def run(half_life_kimg: float | Schedule | None, ramp_up: float | None, images: int, steps: int) -> tuple[float, list]:
    model = nn.Linear(1, 1, bias=False).double()
    with torch.no_grad():
        model.weight.fill_(0.0)
    averages = Averages({"generator": model}, half_life_kimg, ramp_up)
    values = [0.0]
    for step in range(1, steps + 1):
        with torch.no_grad():
            model.weight.fill_(step**0.5)
        values.append(step**0.5)
        averages.update({"generator": model}, images, step * images)
    return averages.copies["generator"].weight.item(), values


@pytest.mark.parametrize("images", [64, 320])
def test_constant_half_life_is_a_sum_of_powers(images: int) -> None:
    result, values = run(10.0, None, images, 50)
    keep = 0.5 ** (images / 10_000)
    expected = keep**50 * values[0] + sum((1 - keep) * keep ** (50 - k) * values[k] for k in range(1, 51))
    assert result == pytest.approx(expected, rel=1e-12)


def test_ramp_up_forgets_the_first_weights() -> None:
    result, values = run(10.0, 0.05, 64, 50)
    expected = values[0]
    for step in range(1, 51):
        keep = 0.5 ** (64 / min(10_000, 0.05 * step * 64))
        expected = keep * expected + (1 - keep) * values[step]
    assert result == pytest.approx(expected, rel=1e-12)


def test_without_a_half_life_the_average_is_the_live_weight() -> None:
    result, values = run(None, None, 64, 3)
    assert result == values[-1]


def test_until_its_start_the_average_is_the_live_weight() -> None:
    model = nn.Linear(1, 1, bias=False).double()
    averages = Averages({"generator": model}, 10.0, None, start_kimg=0.128)
    keep, kept = 0.5 ** (64 / 10_000), []
    for step in range(1, 5):
        with torch.no_grad():
            model.weight.fill_(step)
        averages.update({"generator": model}, 64, step * 64)
        kept.append(averages.copies["generator"].weight.item())
    third = keep * 2 + (1 - keep) * 3
    assert kept == pytest.approx([1, 2, third, keep * third + (1 - keep) * 4], rel=1e-12)


def test_buffers_are_copied_and_nothing_is_trainable() -> None:
    model = nn.BatchNorm1d(2)
    averages = Averages({"generator": model}, 10.0, None)
    model(torch.randn(4, 2))
    averages.update({"generator": model}, 4, 4)
    torch.testing.assert_close(averages.copies["generator"].running_mean, model.running_mean)
    assert averages.copies["generator"].num_batches_tracked == 1
    assert not any(p.requires_grad for p in averages.parameters())
