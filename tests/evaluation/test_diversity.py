"""The spread of samples and of reals, against a plain sum over pairs."""

import itertools
import math
from dataclasses import replace

import pytest
import torch

from ganlab.contracts import DataFacts
from ganlab.evaluation import diversity
from ganlab.evaluation.diversity import Diversity, DiversityMeter, Spread
from ganlab.facts import InputFacts
from ganlab.randomness import derive_seed
from tests.tiny import TinyData, tiny_gan


class Painted(TinyData):
    """Eight-bit noise in any number of classes, the last of which has a single example."""

    def __init__(self, classes: int = 3, size: int = 40, shape: tuple[int, ...] = (3, 12, 16)) -> None:
        super().__init__(size, shape)
        names = tuple(f"class {index}" for index in range(classes))
        self.facts = DataFacts(shape, size, "painted", class_names=names)

    def __getitem__(self, index):
        image = {"images": self.images[index]}
        classes = self.facts.classes
        label = classes - 1 if index == 0 else index % max(1, classes - 1)
        return image | ({"label": label} if classes else {})


def sampler(facts, draw):
    """A module whose samples are `draw(random, labels)`."""
    module = tiny_gan()
    module.facts = facts
    module.sample = lambda random, labels, **options: draw(random, labels)
    return module


def noise(random, labels):
    return random.uniform("pixels", 3 * 12 * 16).view(-1, 3, 12, 16) * 2 - 1


def of_its_class(random, labels):
    """One picture a class, whatever the latents."""
    generator = torch.Generator().manual_seed(0)
    return (torch.rand(3, 3, 12, 16, generator=generator) * 2 - 1)[labels]


def test_the_spread_is_the_mean_over_pairs_in_units_of_the_reals():
    data = Painted()
    meter = DiversityMeter(data)
    spaces = [space.double() for space in diversity._spaces(data.images, data.facts)]
    labels = [data[index]["label"] for index in range(40)]

    def mean(pairs):
        pairs = list(pairs)
        return [math.fsum(float((s[i] - s[j]).norm()) for i, j in pairs) / len(pairs) for s in spaces]

    units = mean(itertools.combinations(range(40), 2))
    within = []
    for label in (0, 1):
        members = [index for index in range(40) if labels[index] == label]
        distances = mean(itertools.combinations(members, 2))
        within.append(sum(d / u for d, u in zip(distances, units, strict=True)) / 2)
    assert meter.classes == [0, 1]
    assert meter.reals.overall == pytest.approx(1, rel=1e-5)
    assert meter.reals.within == pytest.approx(sum(within) / 2, rel=1e-5)


def test_random_features_are_those_of_a_plain_network():
    images = torch.randn(2, 3, 12, 16)
    generator = torch.Generator().manual_seed(derive_seed("diversity"))
    maps = images
    for before, width in itertools.pairwise((3, 16, 32, 64)):
        layer = torch.nn.Conv2d(before, width, 3, 2, 1, bias=False)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(width, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5)
            maps = torch.nn.functional.leaky_relu(layer(maps), 0.2)
    expected = torch.cat([maps.mean((2, 3)), maps.std((2, 3), unbiased=False)], 1)
    torch.testing.assert_close(diversity.random_features(images), expected)


def test_samples_like_the_reals_spread_like_them():
    data = Painted()
    found = DiversityMeter(data).measure(sampler(data.facts, noise))
    assert found.samples.overall == pytest.approx(1, rel=0.05)
    assert found.samples.within == pytest.approx(found.reals.within, rel=0.05)
    assert found.finding is None
    assert set(found.as_values()) == {"diversity/overall", "diversity/within", "diversity/within_reals"}


def test_one_picture_a_class_is_told_from_classes_that_differ():
    data = Painted()
    found = DiversityMeter(data).measure(sampler(data.facts, of_its_class))
    assert found.samples.within == 0
    assert found.samples.overall > 0.4
    assert found.finding == (
        f"samples of one class look alike: spread 0.00 against {found.reals.within:.2f} of the reals"
    )


def test_without_labels_samples_are_held_against_all_reals():
    data = Painted(classes=0)
    meter = DiversityMeter(data)
    grey = meter.measure(sampler(data.facts, lambda random, labels: noise(random, labels) / 10))
    assert set(grey.as_values()) == {"diversity/overall"}
    assert grey.finding == f"samples look alike: spread {grey.samples.overall:.2f} against 1.00 of the reals"
    assert meter.measure(sampler(data.facts, noise)).finding is None


@pytest.mark.parametrize(("within", "overall", "found"), [(0.2, 0.9, True), (0.21, 0.9, False), (0.3, 0.3, True)])
def test_a_third_is_the_limit(within, overall, found):
    assert (Diversity(Spread(overall, within), Spread(1.0, 0.61)).finding is not None) is found


def test_vectors_are_compared_as_they_are():
    data = TinyData()
    data.images = torch.randn(50, 2)
    data.facts = DataFacts((2,), 50, "points", value_range=(-1.0, 1.0))
    meter = DiversityMeter(data)
    normal = meter.measure(sampler(data.facts, lambda random, labels: random.normal("latents", 2)))
    assert normal.samples.overall == pytest.approx(1, rel=0.2)
    one_mode = meter.measure(sampler(data.facts, lambda random, labels: 1 + random.normal("latents", 2) / 50))
    assert one_mode.samples.overall == pytest.approx(1 / 50, rel=0.3)
    assert one_mode.finding


def test_first_frames_stand_for_sequences():
    data = Painted(classes=2, shape=(3, 3, 12, 16))
    data.facts = DataFacts((3, 3, 12, 16), 40, "films", class_names=("a", "b"), frames=3)
    stills = Painted(classes=2)
    stills.images = data.images[:, 0]
    meter = DiversityMeter(data)
    assert meter.reals == DiversityMeter(stills).reals
    films = sampler(data.facts, lambda random, labels: noise(random, labels)[:, None].expand(-1, 3, -1, -1, -1))
    assert meter.measure(films).samples == DiversityMeter(stills).measure(sampler(stills.facts, noise)).samples


def test_of_many_classes_those_with_most_reals_are_looked_at(monkeypatch):
    monkeypatch.setattr(diversity, "CLASSES", 2)
    labels = torch.tensor([5, 3, 3, 5, 4, 4, 4, 9])
    assert diversity._most_common(labels) == [3, 4]
    assert diversity._most_common(torch.arange(9)) == []


def test_reals_that_are_all_the_same_are_no_yardstick():
    data = Painted()
    data.images[:] = 7
    assert not DiversityMeter(data).useful


def test_measuring_leaves_the_random_numbers_of_training_alone():
    module, meter = tiny_gan(), DiversityMeter(TinyData())
    before = torch.random.get_rng_state()
    first = meter.measure(module)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert module.training
    assert meter.measure(module) == first


class Pairs(Painted):
    """Pictures with a number that each is to be made from."""

    def __init__(self):
        super().__init__()
        self.facts = replace(self.facts, inputs={"shade": InputFacts((1,))})

    def __getitem__(self, index):
        return super().__getitem__(index) | {"shade": torch.tensor([index / 40])}


def test_samples_with_inputs_are_made_for_examples_and_have_no_classes_of_their_own():
    data, seen = Pairs(), []

    def shaded(random, labels, *, inputs, **options):
        seen.append(inputs["shade"])
        return inputs["shade"].view(-1, 1, 1, 1).expand(-1, 3, 12, 16)

    module = sampler(data.facts, noise)
    module.sample = shaded
    found = DiversityMeter(data).measure(module)
    assert set(found.as_values()) == {"diversity/overall"}
    assert found.samples.overall > 0
    torch.testing.assert_close(torch.cat(seen).flatten(), torch.arange(64) % 40 / 40)
