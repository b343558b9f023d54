"""Distances, balls and scores of features, against other ways to compute them, and mistakes that are told."""

import numpy as np
import pytest
import scipy.linalg
import torch
from ganlab_metrics.frechet import FID, FrechetDistance, frechet_distance
from ganlab_metrics.inception_score import InceptionScore
from ganlab_metrics.intra_class import IntraClassFID
from ganlab_metrics.kernel_distance import CMMD, KID
from ganlab_metrics.memorisation import Memorisation
from ganlab_metrics.neighbourhoods import DensityCoverage, PrecisionRecall
from ganlab_metrics.plain_features import Pixels

from ganlab import DataFacts, UserError
from ganlab.evaluation.feature_set import Features

LABELLED = DataFacts((1, 4, 4), 40, "labelled", class_names=("a", "b"))


def features(count, dimensions=6, shift=0.0, seed=0):
    random = torch.Generator().manual_seed(seed)
    mix = torch.randn(dimensions, dimensions, generator=torch.Generator().manual_seed(99))
    return Features(torch.randn(count, dimensions, generator=random) @ mix + shift)


def by_square_root(first, second):
    """The distance by a square root of a matrix, as the first program had it."""
    means, covariances = zip(
        *((f.rows.double().mean(0).numpy(), np.cov(f.rows.double().numpy(), rowvar=False)) for f in (first, second)),
        strict=True,
    )
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1]).real
    return np.square(means[0] - means[1]).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)


def test_frechet_distance_is_that_of_a_matrix_root():
    reals, fakes = features(50), features(40, shift=0.5, seed=1)
    assert frechet_distance(reals, fakes) == pytest.approx(by_square_root(reals, fakes), rel=1e-9)


def test_few_examples_in_many_dimensions_have_the_distance_of_their_covariances():
    reals, fakes = features(12, 20), features(9, 20, shift=0.5, seed=1)
    known = (Features.of_statistics(each.mean, each.covariance, len(each)) for each in (reals, fakes))
    assert frechet_distance(reals, fakes) == pytest.approx(frechet_distance(*known), rel=1e-6)


def test_a_distance_to_itself_is_nothing():
    assert frechet_distance(features(500), features(500)) < 1e-3


def test_few_examples_are_told_of_and_other_spaces_refused():
    metric = FrechetDistance(Pixels())
    metric.compare(features(50), features(50, seed=1))
    assert "made of 50 examples" in metric.notes()[0]
    metric.compare(features(2048), features(2048, seed=1))
    assert metric.notes() == []
    with pytest.raises(UserError, match="another space"):
        metric.compare(features(50, 4), features(50, 6))


def test_an_interval_holds_what_other_samples_give_and_shrinks_with_more():
    widths = []
    for count in (100, 1600):
        numbers = FID(Pixels(), intervals=100).compare(features(count), features(count, shift=1, seed=1))
        assert numbers["fid/low"] < numbers["fid"] < numbers["fid/high"]
        widths.append(numbers["fid/high"] - numbers["fid/low"])
    others = [frechet_distance(features(1600, seed=s), features(1600, shift=1, seed=s + 50)) for s in range(2, 22)]
    assert widths[1] < widths[0] / 2
    assert 0.3 < widths[1] / (2 * 1.96 * np.std(others)) < 3


def test_kid_is_the_kernels_mean_and_its_interval_shrinks():
    reals, fakes = features(30), features(30, shift=0.5, seed=1)
    numbers = KID(Pixels(), subsets=1, subset_size=1000).compare(reals, fakes)
    x, y = reals.rows.double(), fakes.rows.double()
    kernels = [((a @ b.T) / 6 + 1) ** 3 for a, b in ((x, x), (y, y), (x, y))]
    within = sum(float((k.sum() - k.trace()) / (30 * 29)) for k in kernels[:2])
    assert numbers == {"kid": pytest.approx(within - 2 * float(kernels[2].mean()), rel=1e-5)}
    few, many = (
        KID(Pixels(), subsets=30, subset_size=50).compare(features(n), features(n, seed=1)) for n in (100, 800)
    )
    assert many["high"] - many["low"] < few["high"] - few["low"]


def test_cmmd_is_the_kernels_mean():
    reals, fakes = features(20), features(25, shift=0.5, seed=1)
    units = [f.rows.double() / f.rows.double().norm(dim=1, keepdim=True) for f in (reals, fakes)]
    means = [
        torch.exp(-(torch.cdist(a, b) ** 2) / 200).mean()
        for a, b in ((0, 0), (1, 1), (0, 1))
        for a, b in [(units[a], units[b])]
    ]
    expected = 1000 * float(means[0] + means[1] - 2 * means[2])
    assert CMMD(Pixels()).compare(reals, fakes)["cmmd"] == pytest.approx(expected, rel=1e-6)


def test_balls_are_those_of_all_distances():
    reals, fakes = features(60), features(50, shift=0.7, seed=1)
    within_reals = torch.cdist(reals.rows, reals.rows).sort(1).values
    across = torch.cdist(fakes.rows, reals.rows)
    fake_radii = torch.cdist(fakes.rows, fakes.rows).sort(1).values[:, 3]
    found = PrecisionRecall(Pixels()).compare(reals, fakes)
    assert found["precision"] == pytest.approx(float((across <= within_reals[:, 3]).any(1).double().mean()))
    assert found["recall"] == pytest.approx(float((across <= fake_radii[:, None]).any(0).double().mean()))
    found = DensityCoverage(Pixels()).compare(reals, fakes)
    inside = across < within_reals[:, 5]
    assert found["density"] == pytest.approx(float(inside.sum()) / (5 * 50))
    assert found["coverage"] == pytest.approx(float(inside.any(0).double().mean()))
    with pytest.raises(UserError, match="too few"):
        PrecisionRecall(Pixels()).compare(features(3), fakes)


def test_the_inception_score_of_known_classes():
    class Reads:
        protocol = {"network": "reads"}

        def logits(self, rows):
            return rows

    certain = torch.eye(4).repeat(25, 1) * 100
    assert InceptionScore(Reads(), splits=5).compare(None, Features(certain))["inception_score"] == pytest.approx(
        4, rel=0.1
    )
    alike = torch.zeros(100, 4)
    assert InceptionScore(Reads()).compare(None, Features(alike))["inception_score"] == pytest.approx(1)
    with pytest.raises(UserError, match="'pixels' does not"):
        InceptionScore(Pixels())
    with pytest.raises(UserError, match="cannot be cut into 10"):
        InceptionScore(Reads()).compare(None, Features(alike[:5]))


def test_distances_within_classes_and_their_mean():
    rows = features(40).rows
    reals = Features(rows, torch.arange(40) % 2)
    fakes = Features(rows + 1, torch.arange(40) % 2)
    metric = IntraClassFID(LABELLED, Pixels())
    numbers = metric.compare(reals, fakes)
    parts = [
        frechet_distance(reals.chosen(torch.arange(k, 40, 2)), fakes.chosen(torch.arange(k, 40, 2))) for k in (0, 1)
    ]
    assert numbers == pytest.approx({"a": parts[0], "b": parts[1], "intra_fid": sum(parts) / 2})
    with pytest.raises(UserError, match="class 'b' has 0"):
        metric.compare(reals, Features(rows, torch.zeros(40, dtype=torch.int64)))
    with pytest.raises(UserError, match="no labels"):
        IntraClassFID(DataFacts((1, 4, 4), 40, "plain"), Pixels())


def test_copies_are_nearer_than_what_the_training_never_saw():
    training, held_out = features(200), features(100, seed=1)
    metric = Memorisation(Pixels())
    copied = metric.compare(None, Features(training.rows[:50] + 0.01), training, held_out)
    new = metric.compare(None, features(100, seed=2), training, held_out)
    far = metric.compare(None, features(100, shift=20, seed=2), training, None)
    assert copied["memorisation"] > 0.95
    assert copied["copies"] > 0.9
    assert abs(new["memorisation"] - 0.5) < 0.15
    assert far["memorisation"] < 0.05
    with pytest.raises(UserError, match="there are none"):
        metric.compare(None, features(5), None, None)
