"""The score and the distance of a classifier's features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_metrics.classifier_score import ClassifierScore, frechet_distance, score
from scipy.linalg import sqrtm

from ganlab import DataFacts, UserError


def test_the_score_is_between_one_and_the_number_of_classes():
    assert score(np.eye(4)[[0, 1, 2, 3] * 5]) == pytest.approx(4, rel=1e-6)
    assert score(np.full((10, 4), 0.25)) == pytest.approx(1)
    assert score(np.eye(4)[[2] * 5]) == pytest.approx(1)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 50)
    mean = probabilities.mean(0)
    expected = np.exp(
        np.mean([sum(p * np.log(p / m) for p, m in zip(row, mean, strict=True)) for row in probabilities])
    )
    assert score(probabilities) == pytest.approx(expected)


def test_the_distance_is_frechets():
    generator = np.random.default_rng(1)
    first, second = (
        generator.normal(size=(200, 5)),
        generator.normal(1.0, 2.0, size=(100, 5)) @ generator.normal(size=(5, 5)),
    )
    a, b = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    expected = np.square(first.mean(0) - second.mean(0)).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real)
    assert frechet_distance(first, second) == pytest.approx(expected)
    assert frechet_distance(first, first) == pytest.approx(0, abs=1e-9)


def images_of(labels, noise, seed):
    """Squares in one of three places."""
    random = torch.Generator().manual_seed(seed)
    images = torch.rand(len(labels), 1, 9, 9, generator=random) * noise
    for image, label in zip(images, labels, strict=True):
        image[:, 3 * int(label) : 3 * int(label) + 3] += 150
    return images.clamp(0, 255).to(torch.uint8)


def test_fakes_like_the_reals_beat_blurred_and_few_ones():
    metric = ClassifierScore(DataFacts((1, 9, 9), 300, "squares", class_names=("a", "b", "c")), hidden=8)
    labels = torch.arange(300) % 3
    metric.update(images_of(labels, 90, 0), True, labels)
    found = {}
    for name, fakes in {
        "good": images_of(labels, 90, 1),
        "one class": images_of(torch.zeros(300), 90, 2),
        "grey": torch.full((300, 1, 9, 9), 60, dtype=torch.uint8),
    }.items():
        metric.reset()
        metric.update(fakes, False)
        found[name] = metric.compute()
    assert found["good"]["classifier_score"] > 2.5
    assert found["one class"]["classifier_score"] < 1.2
    assert all(found["good"]["distance"] < found[name]["distance"] / 5 for name in ("one class", "grey"))
    with pytest.raises(UserError, match="needs data with labels"):
        ClassifierScore(DataFacts((1, 9, 9), 300, "squares"))
