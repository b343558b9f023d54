"""Truncated latents and standing statistics."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_biggan.architecture import BigGAN
from ganlab_biggan.standing import standing_statistics, with_statistics
from ganlab_biggan.truncation import truncated
from scipy import stats
from torch import nn

from ganlab.errors import UserError
from ganlab.evaluation.sampling import get_ready, sample_blocks
from ganlab.randomness import Randomness
from ganlab.spec.sampling import check_sampling, sampling_options
from ganlab.testing.examples import EXAMPLE_FACTS, example_module
from ganlab.testing.training import differing, state_of, train_steps
from ganlab.training.kept_measurements import KeptMeasurements

FACTS = EXAMPLE_FACTS["images with classes"]


@pytest.fixture
def game():
    return example_module("biggan", FACTS)


@pytest.mark.parametrize("threshold", [0.04, 0.5, 2.0])
def test_truncated_latents_are_those_that_drawing_anew_gives(threshold):
    latents = Randomness(0, count=4000).normal("latents", 3)
    values = truncated(latents, threshold).flatten().numpy()
    assert np.abs(values).max() <= threshold
    assert stats.kstest(values, stats.truncnorm(-threshold, threshold).cdf).pvalue > 0.01
    generator = torch.Generator().manual_seed(0)
    anew = torch.randn(10_000, generator=generator)
    while (beyond := anew.abs() > threshold).any():
        anew[beyond] = torch.randn(int(beyond.sum()), generator=generator)
    assert stats.ks_2samp(values, anew.numpy()).pvalue > 0.01
    order = latents.flatten().argsort()
    assert (np.diff(values[order.numpy()]) >= 0).all()


def test_without_a_threshold_latents_stay():
    latents = torch.randn(3, 4)
    assert truncated(latents, None) is latents
    torch.testing.assert_close(truncated(latents, 9.0), latents)
    extreme = truncated(torch.tensor([-40.0, 0.0, 40.0]), 0.5)
    torch.testing.assert_close(extreme, torch.tensor([-0.5, 0.0, 0.5]))


def test_standing_statistics_are_means_over_batches():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 1), nn.BatchNorm2d(3), nn.ReLU(), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)
    ).eval()
    batches = [torch.randn(5, 1, 4, 4) * (1 + index) for index in range(3)]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        found = standing_statistics(network, lambda index: network(batches[index]), 3)
        assert not any(part.training for part in network.modules())
        assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
        reference = nn.Sequential(*network).train()
        for norm in (reference[1], reference[4]):
            norm.momentum = None  # torch's way of a mean over all batches
            norm.reset_running_stats()
        for batch in batches:
            reference(batch)
        expected = reference.eval()(batches[0])
        for name, norm in (("1", reference[1]), ("4", reference[4])):
            torch.testing.assert_close(found[name], (norm.running_mean, norm.running_var))
            norm.reset_running_stats()
        plain = network(batches[0])
        with with_statistics(network, found):
            torch.testing.assert_close(network(batches[0]), expected)
        torch.testing.assert_close(network(batches[0]), plain)


def test_sampling_options(game):
    assert set(sampling_options(BigGAN)) == {"truncation", "standing"}
    assert check_sampling(BigGAN, {"truncation": 0.5, "standing": 16}) == {"truncation": 0.5, "standing": 16}
    for options, sentence in (({"truncation": 0}, "'truncation'"), ({"standing": -1}, "'standing'")):
        with pytest.raises(UserError, match=sentence):
            check_sampling(BigGAN, options)


def images_of(game, **options):
    return torch.cat([images for images, _ in sample_blocks(game, 6, 0, options=options)])


def test_samples_follow_their_options_and_nothing_else_changes(game):
    train_steps(game, 2)
    before = state_of(game)
    plain = images_of(game)
    standing = images_of(game, standing=2)
    truncated_too = images_of(game, standing=2, truncation=0.1)
    assert not torch.allclose(plain, standing)
    assert not torch.allclose(standing, truncated_too)
    torch.testing.assert_close(images_of(game), plain)
    torch.testing.assert_close(images_of(game, truncation=0.1, standing=2), truncated_too)
    assert not differing(before, state_of(game))


def test_statistics_are_measured_once_for_weights_and_options(game, monkeypatch):
    measured = []
    original = BigGAN.before_sampling
    monkeypatch.setattr(
        BigGAN,
        "before_sampling",
        lambda self, *given, **options: measured.append(1) or original(self, *given, **options),
    )
    images_of(game, standing=2, truncation=0.5)
    images_of(game, truncation=0.5, standing=2)
    assert len(measured) == 1
    statistics = game._measured[1]
    get_ready(game, True, {"truncation": 0.5, "standing": 3})
    assert len(measured) == 2
    assert any(
        not torch.equal(a[0], b[0]) for a, b in zip(statistics.values(), game._measured[1].values(), strict=True)
    )


def test_statistics_that_were_kept_beside_the_generator_give_the_same_images(game, tmp_path, monkeypatch):
    expected = images_of(game, standing=2, truncation=0.5)
    for measures in (True, False):
        game.ready_for, game._measured = None, None
        game.kept_measurements = KeptMeasurements(tmp_path / "measured")
        assert torch.equal(images_of(game, standing=2, truncation=0.5), expected)
        assert len(list((tmp_path / "measured").iterdir())) == 1
        if measures:
            monkeypatch.setattr("ganlab_biggan.architecture.standing_statistics", None)  # nothing is measured again
