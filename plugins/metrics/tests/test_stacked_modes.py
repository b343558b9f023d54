"""Modes of stacks whose digits are known."""

import math

import numpy as np
import pytest
import torch
from ganlab_metrics.stacked_modes import StackedModes
from PIL import Image
from sklearn.datasets import load_digits

from ganlab import DataFacts, UserError

FACTS = DataFacts((3, 16, 16), 10, "x", extras={"stacked_digits": 3})


@pytest.fixture(scope="module")
def metric():
    return StackedModes(FACTS)


@pytest.fixture(scope="module")
def digits():
    """Digits at 16x16, enlarged otherwise than the data set does it, with their classes."""
    pixels, classes = load_digits(return_X_y=True)
    images = [Image.fromarray(row.reshape(8, 8).astype(np.float32) * 15.9).resize((16, 16), 3) for row in pixels]
    return torch.from_numpy(np.stack(images)).clamp(0, 255).to(torch.uint8), torch.from_numpy(classes).long()


def stacks(digits, count, seed=0):
    images, classes = digits
    chosen = torch.randint(len(images), (count, 3), generator=torch.Generator().manual_seed(seed))
    return images[chosen], classes[chosen]


def test_real_stacks_are_read(metric, digits):
    metric.reset()
    images, classes = stacks(digits, 3000)
    metric.update(images, real=True)
    metric.update(images, real=False)
    values = metric.compute()
    numbers = classes @ torch.tensor([100, 10, 1])
    assert values["captured"] == pytest.approx(len(numbers.unique()), abs=15)
    assert values["kl"] == pytest.approx(999 / 6000, abs=0.05)
    assert values["good"] == values["real_good"] > 0.8
    assert 0.9 < values["real_accuracy"] <= 1
    read, _ = metric._read(images)
    assert (read == numbers.numpy()).mean() > 0.95


def test_a_collapse_to_two_numbers(metric, digits):
    metric.reset()
    images, classes = digits
    pair = torch.stack([images[(classes == digit).nonzero()[0, 0]] for digit in (3, 7)])
    metric.update(pair[torch.tensor([[0, 1, 1], [1, 0, 0]])].repeat(50, 1, 1, 1), real=False)
    values = metric.compute()
    assert values["captured"] == 2
    assert values["kl"] == pytest.approx(math.log(500))


def test_noise_is_not_good(metric):
    metric.reset()
    metric.update(torch.randint(256, (200, 3, 16, 16), dtype=torch.uint8), real=False)
    assert metric.compute()["good"] == 0


def test_refuses_other_images():
    with pytest.raises(UserError, match="stacked_digits"):
        StackedModes(DataFacts((3, 16, 16), 10, "x"))
