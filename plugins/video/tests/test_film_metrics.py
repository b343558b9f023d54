from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_datasets.moving_digits import MovingDigits
from ganlab_video.generator import EXAMPLE_FACTS
from ganlab_video.video_distance import VideoDistance, of_films
from ganlab_video.warping import warp
from ganlab_video.warping_error import WarpingError
from scipy.linalg import sqrtm

from ganlab import DataFacts, UserError
from ganlab.evaluation.feature_set import Features


def shown(films):
    return films["images"].flatten(0, 1)


def test_the_error_is_the_mean_over_known_pixels_and_smallest_for_reals():
    data = MovingDigits(32, 5, 2, 20)
    films = data.take(range(12))
    metric = WarpingError(data.facts)
    metric.update(shown(films), True, None, {"flow": films["flow"]})
    generator = torch.Generator().manual_seed(0)
    noise = torch.randint(-25, 25, films["images"].shape, generator=generator)
    flickering = (films["images"].int() + noise).clamp(0, 255).to(torch.uint8)
    for rows in (slice(0, 5), slice(5, 12)):
        inputs = {"flow": films["flow"][rows]}
        metric.update(flickering[rows].flatten(0, 1), False, shown(films), inputs)
    numbers = metric.compute()
    frames = flickering.double() / 255
    total = known = 0.0
    for film, flow in zip(frames, films["flow"].double(), strict=True):
        apart = (film[1:] - warp(film[:-1], flow[1:, :2])).numpy() ** 2
        total += float((apart.mean(1) * flow[1:, 2].numpy()).sum())
        known += float(flow[1:, 2].sum())
    assert numbers["fakes"] == pytest.approx(total / known, rel=1e-4)
    assert numbers["reals"] < 0.25 * numbers["fakes"]
    metric.reset()
    assert metric.compute() == {"fakes": 0.0, "reals": numbers["reals"]}


def test_films_alone_have_motion():
    with pytest.raises(UserError, match="sequences of two frames at least"):
        WarpingError(EXAMPLE_FACTS.of_frames)
    with pytest.raises(UserError, match="these data have none"):
        WarpingError(DataFacts((3, 1, 8, 8), 4, "x", frames=3))
    with pytest.raises(UserError, match="take two frames at least"):
        VideoDistance(EXAMPLE_FACTS.of_frames, lambda images: images.flatten(1))


def test_a_film_is_described_by_its_look_and_its_changes():
    torch.manual_seed(0)
    reals, fakes = torch.randn(40, 4, 3), torch.randn(40, 4, 3) * 1.5 + 0.2
    metric = VideoDistance(EXAMPLE_FACTS, lambda images: images.flatten(1))
    found = metric.compare(*(Features(each.flatten(0, 1)) for each in (reals, fakes)))["distance"]

    def described(films):
        changes = np.abs(films[:, 1:] - films[:, :-1]).mean(1)
        return np.concatenate([films.mean(1), changes], axis=1)

    first, second = (described(each.double().numpy()) for each in (reals, fakes))
    covariances = [np.cov(each.T) for each in (first, second)]
    expected = ((first.mean(0) - second.mean(0)) ** 2).sum()
    expected += np.trace(sum(covariances) - 2 * sqrtm(covariances[0] @ covariances[1]).real)
    assert found == pytest.approx(expected, rel=1e-4)
    still = reals[:, :1].expand(-1, 4, -1)
    assert not of_films(still.flatten(0, 1), 4)[:, 3:].any()
