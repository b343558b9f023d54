"""The classifier metric on scikit-learn's digits, with reals in the part of the fakes."""

import pytest
import torch
from ganlab_metrics.classifier import Classifier
from sklearn.datasets import load_digits

from ganlab import DataFacts, UserError

FACTS = DataFacts((1, 8, 8), 1797, "digits", class_names=tuple("0123456789"))


@pytest.fixture(scope="module")
def digits():
    pixels, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(pixels).view(-1, 1, 8, 8)
    return (images * 15.9).to(torch.uint8), torch.from_numpy(labels).long()


@pytest.fixture(scope="module")
def metric(digits):
    images, labels = digits
    metric = Classifier(FACTS)
    for start in range(0, 1400, 100):
        metric.update(images[start : start + 100], real=True, labels=labels[start : start + 100])
    return metric


def test_knows_digits_it_has_not_seen(metric, digits):
    images, labels = digits
    metric.reset()
    metric.update(images[1400:], real=False, labels=labels[1400:])
    values = metric.compute()
    assert values["real_accuracy"] > 0.95
    assert values["accuracy"] > 0.9
    assert values["covered"] == 10
    assert values["entropy"] > 0.98
    assert values["confidence"] > 0.8
    assert sum(values[f"share/{name}"] for name in FACTS.class_names) == pytest.approx(1)


def test_shows_a_collapse_to_one_class(metric, digits):
    images, labels = digits
    metric.reset()
    metric.update(images[1400:][labels[1400:] == 0], real=False)
    values = metric.compute()
    assert values["share/0"] > 0.9
    assert values["covered"] < 10
    assert values["entropy"] < 0.3
    assert "accuracy" not in values


def test_noise_is_met_with_less_confidence(metric, digits):
    metric.reset()
    metric.update(digits[0][1400:], real=False)
    reals = metric.compute()["confidence"]
    metric.reset()
    metric.update(torch.randint(256, (200, 1, 8, 8), dtype=torch.uint8), real=False)
    assert metric.compute()["confidence"] < reals


def test_large_colour_images_and_classes_that_no_real_showed():
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(2, (60,), generator=generator)
    images = torch.randint(100, (60, 3, 40, 24), generator=generator)
    images = (images + 100 * labels[:, None, None, None]).to(torch.uint8)
    metric = Classifier(DataFacts((3, 40, 24), 60, "x", class_names=("dark", "bright", "never")), examples=50)
    metric.update(images, real=True, labels=labels)
    metric.update(images, real=False, labels=labels)
    values = metric.compute()
    assert values["accuracy"] == 1
    assert values["share/never"] == 0
    assert values["covered"] == 2


@pytest.mark.parametrize("names", [(), ("one",)])
def test_refuses_data_without_labels(names):
    with pytest.raises(UserError, match="labels"):
        Classifier(DataFacts((1, 8, 8), 10, "x", class_names=names))
