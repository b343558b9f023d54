"""The examples that samples are made for."""

from dataclasses import replace

import pytest
import torch

from ganlab.contracts import DataFacts, InputFacts
from ganlab.data.opening import Wishes, arrange
from ganlab.errors import DataError
from ganlab.evaluation.sampling import make_samples, sample_seeds
from ganlab.evaluation.source import source_for, source_of
from tests.data.toys import Paired
from tests.tiny import SampledModule, TinyData


class Translated(SampledModule):
    """Stands for a game from images to images: a sample is its photo, but for one pixel that shows its label."""

    def __init__(self, facts):
        super().__init__()
        self.facts = facts

    def sample(self, random, labels=None, *, inputs=None, averaged=True):
        images = inputs["photo"].clone()
        if labels is not None:
            images[:, 0, 0, 0] = labels.to(images.dtype)
        return images


class Photos(TinyData):
    """Labelled pictures without inputs, stored in another range than `Paired` stores its photos."""

    def __init__(self, shape=(3, 8, 8), classes=("a", "b")):
        super().__init__(7, shape)
        self.facts = replace(self.facts, class_names=classes, value_range=(0.0, 510.0), fingerprint="photos")


def scaled(stored):
    return (stored.float() - 127.5) / 127.5


def test_sample_i_is_made_for_held_out_example_i_over_and_over():
    data = arrange(Paired(20), Wishes(holdout=0.25))
    module = Translated(data.facts)
    source = source_of(data, "cpu")
    pieces = list(make_samples(module, 12, 0, source=source, batch_size=5))
    expected = torch.stack([data.held_out[index % 5]["photo"] for index in range(12)])
    assert torch.equal(torch.cat([piece.images for piece in pieces]), scaled(expected))
    targets = torch.stack([data.held_out[index % 5]["images"] for index in range(12)])
    assert torch.equal(torch.cat([piece.targets() for piece in pieces]), scaled(targets))
    (later,) = make_samples(module, 2, 0, source=source, first=3)
    assert torch.equal(later.images, scaled(expected[3:5]))
    seeded = list(sample_seeds(module, [9, 9, 4], source=source))
    assert torch.equal(torch.cat([one.images for one in seeded]), scaled(expected[:3]))
    assert torch.equal(torch.cat([one.targets() for one in seeded]), scaled(targets[:3]))


def test_without_held_out_examples_those_of_the_training_and_none_without_inputs():
    data = Paired(4)
    (made,) = make_samples(Translated(data.facts), 4, 0, source=source_of(data, "cpu"))
    assert torch.equal(made.images, scaled(data.fields["photo"]))
    assert source_of(TinyData(), "cpu") is None


def test_labels_go_with_the_examples_unless_others_are_asked_for():
    data = Paired(4)
    data.fields["label"] = torch.tensor([1, 0, 0, 1])
    data.facts = replace(data.facts, class_names=("a", "b"))
    source, module = source_of(data, "cpu"), Translated(data.facts)
    (made,) = make_samples(module, 4, 0, source=source)
    assert made.labels.tolist() == made.images[:, 0, 0, 0].tolist() == [1, 0, 0, 1]
    (made,) = make_samples(module, 4, 0, source=source, labels=0)
    assert made.images[:, 0, 0, 0].tolist() == [0, 0, 0, 0]


def photo_facts(**changes):
    facts = DataFacts((3, 8, 8), 9, "x", inputs={"photo": InputFacts((3, 8, 8), "images")})
    return replace(facts, **changes)


def test_pictures_without_inputs_are_the_only_image_that_is_an_input():
    source = source_for(photo_facts(), Photos(), "cpu")
    (made,) = make_samples(Translated(photo_facts()), 7, 0, source=source)
    assert torch.equal(made.images, (Photos().images.float() - 255) / 255)
    assert made.targets() is None


def test_labels_of_other_pictures_are_those_of_the_run():
    facts = photo_facts(class_names=("a", "b"))
    (made,) = make_samples(Translated(facts), 3, 0, source=source_for(facts, Photos(), "cpu"))
    assert made.labels.tolist() == [0, 1, 0]
    with pytest.raises(DataError, match=r"classes of the inputs are a, c, those of the run are a, b; .*labels: false"):
        source_for(facts, Photos(classes=("a", "c")), "cpu")


@pytest.mark.parametrize(
    ("facts", "given", "sentence"),
    [
        (DataFacts((3, 8, 8), 9, "x"), Photos(), "the run's data have no inputs"),
        (photo_facts(), Photos((3, 4, 4)), "'photo' as images of 3 x 8 x 8; the examples of --inputs have .*3 x 4 x 4"),
        (
            Paired().facts,
            Photos(),
            r"input 'photo' \(images of 3 x 8 x 8\); the examples of --inputs have images alone",
        ),
        (
            replace(Paired().facts, inputs={"map": InputFacts((1, 8, 8), "maps", classes=9)}),
            Paired(),
            "'map' as maps of 1 x 8 x 8 with 9 classes; .*with 4 classes",
        ),
        (
            replace(Paired().facts, inputs={"pose": InputFacts((2,))}),
            Paired(),
            r"'pose' \(numbers of 2\); the examples of --inputs have photo, map, mask, attributes",
        ),
    ],
)
def test_examples_that_do_not_fit_the_run_are_refused(facts, given, sentence):
    with pytest.raises(DataError, match=sentence):
        source_for(facts, given, "cpu")


def test_samples_from_the_examples_own_images_and_from_another_domain():
    data, other = TinyData(6), TinyData(4)
    data.further = {"other": other}
    source = source_of(data, "cpu", ("images", "other"))
    given = source.inputs(range(5))
    assert torch.equal(given["images"], scaled(data.images[:5]))
    assert torch.equal(given["other"], scaled(other.images[[0, 1, 2, 3, 0]]))
    assert source.starting_at(3).inputs([0])["other"].equal(scaled(other.images[3:4]))
    with pytest.raises(DataError, match="made from the domain 'other', which the examples lack"):
        source_for(data.facts, TinyData(3), "cpu", ("other",))
