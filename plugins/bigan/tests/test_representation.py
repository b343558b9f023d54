from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_bigan.representation import Representation, accuracies
from scipy.spatial.distance import cdist
from sklearn.model_selection import train_test_split

from ganlab import DataFacts, Randomness, UserError

FACTS = DataFacts((1, 2, 2), 60, "classes", class_names=("a", "b", "c"))


def clouds(count, spread, seed=0):
    """Three classes, as clouds around the corners of a triangle."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    return corners[labels] + spread * random.normal(size=(count, 3)), labels


def test_the_nearest_neighbour_is_searched_among_the_other_half():
    vectors, labels = clouds(120, 0.4)
    learned, asked, known, wanted = train_test_split(vectors, labels, test_size=0.5, random_state=3, stratify=labels)
    nearest = known[cdist(asked, learned).argmin(1)]
    found = accuracies(vectors, labels, 3)
    assert found["nearest_neighbour"] == pytest.approx((nearest == wanted).mean())
    assert 0.6 < found["nearest_neighbour"] < 0.99


def test_clouds_apart_are_told_and_noise_is_not():
    assert accuracies(*clouds(120, 0.05)) == {"nearest_neighbour": 1.0, "linear": 1.0}
    noise = accuracies(np.random.default_rng(0).normal(size=(300, 3)), np.arange(300) % 3)
    assert max(noise.values()) < 0.5


class Oracle:
    """Encodes a real as its class, or as nothing."""

    device = torch.device("cpu")

    def __init__(self, knows):
        self.knows = knows

    def encode(self, images, labels=None, *, averaged=True):
        return self.knows * ((images[:, :1, 0, 0] + 1) * 127.5) + torch.zeros(len(images), 2)


def shown():
    labels = torch.arange(60) % 3
    metric = Representation(FACTS)
    images = torch.randint(0, 255, (60, 1, 2, 2), generator=torch.Generator().manual_seed(0))
    images[:, 0, 0, 0] = labels
    metric.update(images.to(torch.uint8), True, labels)
    return metric


def test_latents_are_compared_and_pixels_stay_as_they_are():
    metric = shown()
    found = []
    for knows in (1.0, 0.0, 1.0):
        metric.reset()
        metric.measure(Oracle(knows), Randomness(0, count=1))
        found.append(metric.compute())
    assert found[0] == found[2]
    assert found[0]["nearest_neighbour"] == found[0]["linear"] == 1.0
    assert found[1]["nearest_neighbour"] == pytest.approx(1 / 3)
    assert found[0]["pixels/linear"] == found[1]["pixels/linear"] > 0.8


def test_games_without_an_encoder_and_data_without_classes_are_refused():
    with pytest.raises(UserError, match="encodes no images"):
        shown().measure(object(), Randomness(0, count=1))
    with pytest.raises(UserError, match="these data have none"):
        Representation(DataFacts((1, 2, 2), 10, "plain"))
