from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ganlab_datasets.coloured_digits import ColouredDigits
from ganlab_translation.domain_accuracy import DomainAccuracy

from ganlab import Randomness, UserError
from ganlab.data.scaling import scale


class Painter:
    """Paints red what is not, and the other way round, if it is asked to; else leaves images as they are."""

    sampled_from = ("images",)
    device = torch.device("cpu")

    def __init__(self, able: bool) -> None:
        self.able = able

    def render(self, latents):
        images = latents.inputs["images"]
        return images[:, [1, 0, 2]] if self.able else images


def test_it_tells_a_painter_from_one_that_does_nothing():
    data = ColouredDigits(8, ("red", "green"))
    for able, expected in ((True, 1.0), (False, 0.0)):
        metric = DomainAccuracy(data.facts, images=50, examples=200)
        metric.update(data.images[:200], True, data.labels[:200])
        metric.measure(Painter(able), Randomness(0, count=4))
        found = metric.compute()
        assert found["domain_accuracy"] == pytest.approx(expected, abs=0.05)
        assert found["real_accuracy"] > 0.95
        assert found["reconstruction"] == 0


def test_reconstruction_is_a_mean_over_changed_images():
    data = ColouredDigits(8, ("red", "green"))

    class Blackener(Painter):
        def render(self, latents):
            return torch.full_like(latents.inputs["images"], -1)

    metric = DomainAccuracy(data.facts, images=70, examples=100)
    metric.update(data.images[:100], True, data.labels[:100])
    metric.measure(Blackener(True), Randomness(0, count=4))
    expected = (scale(data.images[:70], (0.0, 255.0)) + 1).mean()
    assert metric.compute()["reconstruction"] == pytest.approx(float(expected), rel=1e-5)


def test_mistakes_end_in_a_sentence():
    facts = ColouredDigits(8).facts
    with pytest.raises(UserError, match="these data have none"):
        DomainAccuracy(replace(facts, class_names=()))
    metric = DomainAccuracy(facts)
    other = Painter(True)
    other.sampled_from = ()
    with pytest.raises(UserError, match="change images between classes"):
        metric.measure(other, Randomness(0, count=1))
