"""Perceptual path length of generators for which it has a closed form; diversity and accuracy of known images."""

import numpy as np
import pytest
import torch
from ganlab_metrics.accuracy_score import AccuracyScore
from ganlab_metrics.path_length import PathLength
from ganlab_metrics.perceptual_diversity import PerceptualDiversity

from ganlab import DataFacts, UserError
from ganlab.randomness import Randomness, layer_normal
from ganlab.views import Latents

FACTS = DataFacts((1, 4, 4), 10, "linear")


class Flat:
    protocol = {"network": "flat"}

    def __call__(self, images):
        return images.double().flatten(1) / 127.5


class Linear:
    """Images that are a linear map of latents or of styles, which are twice the latents, with noise on top."""

    def __init__(self, facts=FACTS):
        self.facts = facts
        self.weight = torch.randn(8, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / 20
        self.labels = []

    def draw(self, random, labels=None):
        self.labels.append(labels)
        return Latents(values=random.normal("latents", 8).double(), labels=labels)

    def map(self, latents):
        return 2 * latents.values

    def synthesise(self, styles):
        images = (styles @ self.weight).view(-1, 1, 4, 4)
        return images + layer_normal(images, 1, 4, 4)

    def render(self, latents):
        return self.synthesise(latents.values)


class Unrounded(PathLength):
    def _looked_at(self, images):
        return (images + 1) * 127.5


def ends(random, module):
    return [module.draw(random.scoped(name)).values for name in ("begin", "end")]


def kept_mean(distances):
    low = np.percentile(distances, 1, method="lower")
    high = np.percentile(distances, 99, method="higher")
    return float(distances[(distances >= low) & (distances <= high)].mean())


@pytest.mark.parametrize("sampling", ["end", "full"])
def test_straight_paths_of_a_linear_generator(sampling):
    module, random = Linear(), Randomness(3, count=50)
    metric = Unrounded(FACTS, Flat(), "w", sampling, batch_size=16)
    metric.measure(module, random)
    first, second = ends(random, module)
    expected = (2 * (second - first) @ module.weight).square().sum(1).numpy()
    assert metric.compute()["ppl"] == pytest.approx(kept_mean(expected), rel=1e-3)


def test_great_circles_of_a_generator_that_keeps_lengths():
    module, random = Linear(), Randomness(3, count=40)
    module.weight = torch.eye(8, 16, dtype=torch.float64)
    module.draw = lambda random, labels=None: Latents(
        values=torch.nn.functional.normalize(random.normal("latents", 8).double(), dim=1)
    )
    metric = Unrounded(FACTS, Flat(), "z", "full")
    metric.measure(module, random)
    first, second = ends(random, module)
    angles = (first * second).sum(1).acos().square().numpy()
    assert metric.compute()["ppl"] == pytest.approx(kept_mean(angles), rel=1e-3)


def test_the_crop_and_the_reduction_of_large_pictures():
    pictures = torch.zeros(1, 3, 1024, 1024)
    assert PathLength(FACTS, Flat())._looked_at(pictures).shape == (1, 3, 256, 256)
    assert PathLength(FACTS, Flat(), crop=True)._looked_at(pictures).shape == (1, 3, 256, 256)
    small = torch.zeros(1, 3, 64, 64)
    small[:, :, 24:56, 16:48] = 1
    cropped = PathLength(FACTS, Flat(), crop=True)._looked_at(small)
    assert cropped.shape == (1, 3, 32, 32)
    assert float(cropped.min()) == 255


def test_both_ends_have_the_same_label_and_games_without_styles_are_told_of():
    labelled = DataFacts((1, 4, 4), 10, "linear", class_names=("a", "b"))
    module = Linear(labelled)
    PathLength(labelled, Flat(), "z").measure(module, Randomness(0, count=10))
    assert torch.equal(*module.labels)

    class Plain:
        facts = FACTS

    with pytest.raises(UserError, match="take 'space: z'"):
        PathLength(FACTS, Flat()).measure(Plain(), Randomness(0, count=2))


def test_diversity_is_the_mean_distance_of_pairs_however_they_are_cut():
    images = torch.randint(0, 256, (21, 1, 4, 4), dtype=torch.uint8)
    vectors = Flat()(images)
    expected = float((vectors[0:20:2] - vectors[1:20:2]).square().sum(1).mean())
    for size in (21, 4, 1):
        metric = PerceptualDiversity(FACTS, Flat())
        for block in images.split(size):
            metric.update(block, real=True)
            metric.update(block // 2, real=False)
        numbers = metric.compute()
        assert numbers["reals"] == pytest.approx(expected)
        assert numbers["lpips_diversity"] < numbers["reals"]


def test_a_classifier_of_true_labels_knows_the_reals_and_one_of_wrong_labels_does_not():
    facts = DataFacts((1, 8, 8), 100, "halves", class_names=("dark", "light"))
    labels = torch.arange(120) % 2
    noise = torch.randint(0, 100, (120, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    images = (noise + 100 * labels[:, None, None, None]).to(torch.uint8)
    scores = []
    for given in (labels, 1 - labels):
        metric = AccuracyScore(facts, size=8, width=4, passes=4)
        metric.update(images, True, labels)
        metric.update(images, False, given)
        scores.append(metric.compute())
    assert scores[0]["accuracy_score"] > 0.9
    assert scores[1]["accuracy_score"] < 0.1
    assert scores[0]["chance"] == 0.5
    with pytest.raises(UserError, match="leave it out"):
        AccuracyScore(FACTS)
