"""What belongs to an image is scaled, mirrored, reduced and checked with it."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from ganlab.data import StepLoader, StepPlan, Stream, preflight, read_examples
from ganlab.data.cache import CachedDataset
from ganlab.data.report import report_on
from ganlab.errors import DataError
from ganlab.facts import DataFacts, InputFacts
from tests.data.toys import Numbered, Paired, Sequences


def test_each_kind_arrives_as_networks_want_it():
    (batch,) = Stream(Paired(), seed=0)[StepPlan(0, 0, 20, 1, 0, 20)].batches(Paired().facts, seed=0)
    torch.testing.assert_close(batch.inputs["photo"], batch.images + 1 / 127.5)
    assert (batch.inputs["map"].dtype, batch.inputs["mask"].dtype) == (torch.int64, torch.int64)
    assert torch.equal(batch.inputs["map"], ((batch.images[:, :1] + 1) * 127.5).round().long() % 4)
    assert batch.inputs["attributes"].dtype == torch.float32
    first, second = batch.split(12)
    assert torch.equal(torch.cat([first.inputs["map"], second.inputs["map"]]), batch.inputs["map"])


def test_mirrors_take_along_what_belongs_to_the_image():
    plain, mirrored = (Stream(Paired(), seed=1, flip=flip)[StepPlan(0, 0, 20, 1, 0, 20)] for flip in (False, True))
    flipped = [not torch.equal(*rows) for rows in zip(plain.images, mirrored.images, strict=True)]
    assert 0 < sum(flipped) < 20
    for row in range(20):
        for name in ("photo", "map", "mask"):
            before, after = plain.inputs[name][row], mirrored.inputs[name][row]
            assert torch.equal(after, before.flip(-1) if flipped[row] else before)
    assert torch.equal(plain.inputs["attributes"], mirrored.inputs["attributes"])


def test_sequences_are_mirrored_as_a_whole():
    batch = Stream(Sequences(), seed=0, flip=True)[StepPlan(0, 0, 6, 1, 0, 6)]
    bright = batch.images[:, :, 0, 0, :] == 255
    assert bright.any(0).any(0)[[0, 3]].all()
    assert (bright[:, 0] == bright[:, 2]).all()


def test_reduction_takes_along_what_belongs_to_the_image():
    whole, small = (read_examples(Paired(), range(4), resolution) for resolution in (8, 4))
    means = whole["photo"].double().unfold(2, 2, 2).unfold(3, 2, 2).mean((4, 5)).round()
    assert torch.equal(small["photo"].double(), means)
    assert torch.equal(small["map"], whole["map"][..., 1::2, 1::2])
    assert small["mask"].shape == (4, 4, 4)
    assert torch.equal(small["attributes"], whole["attributes"])
    assert read_examples(Sequences(), [0, 1], 2)["images"].shape == (2, 3, 1, 2, 2)


def test_an_input_that_cannot_be_reduced_with_the_image_is_named():
    data = Paired(photo=torch.zeros(20, 3, 6, 6, dtype=torch.uint8))
    data.facts.inputs["photo"] = InputFacts((3, 6, 6), "images")
    with pytest.raises(DataError, match=r"reduced 4 times.*6 x 6 pixels of the input 'photo'"):
        read_examples(data, [0], 2)


@pytest.mark.parametrize("data", [Paired(), Sequences()], ids=["paired", "sequences"])
def test_the_cache_keeps_all_that_belongs_together(tmp_path, data):
    cached = CachedDataset(data, tmp_path)
    cached.prepare()
    options = {"seed": 0, "step_size": lambda images: (4, 1), "resolution": lambda images: 4, "flip": True}
    if data.facts.resolution == 4:
        options["resolution"] = lambda images: 2
    plain, kept = (list(islice(iter(StepLoader(source, **options)), 6)) for source in (data, cached))
    for first, second in zip(plain, kept, strict=True):
        assert torch.equal(first.images, second.images)
        assert first.inputs.keys() == second.inputs.keys() == data.facts.inputs.keys()
        for name, value in first.inputs.items():
            assert torch.equal(value, second.inputs[name]), name


def test_the_cache_refuses_what_it_does_not_know(tmp_path):
    with pytest.raises(DataError, match="mask"):
        CachedDataset(_square(), tmp_path).prepare()


def _square():
    return Numbered(4, extra=True)


class Changed:
    """A data set of which one example is changed."""

    def __init__(self, data, index, change):
        self.data, self.facts, self.index, self.change = data, data.facts, index, change

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        example = dict(self.data[index])
        if index == self.index:
            self.change(example)
        return example


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda e: e.pop("photo"), r"example 3 has .*'mask'"),
        (lambda e: e.update(photo=torch.zeros(3, 4, 4)), r"'photo' of example 3 has \(3, 4, 4\)"),
        (lambda e: e.update(attributes="tall"), r"'attributes' of example 3 is a str"),
    ],
)
def test_an_example_that_is_not_like_the_others_is_named(change, sentence):
    with pytest.raises(DataError, match=sentence):
        read_examples(Changed(Paired(), 3, change), range(5))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"map": torch.full((20, 1, 8, 8), 4)}, r"map 'map' of examples? .*4.*4 classes allow 0 to 3"),
        ({"map": torch.full((20, 1, 8, 8), -1)}, r"'map'.*from -1"),
        ({"map": torch.zeros(20, 1, 8, 8)}, r"'map' as torch.float32"),
        ({"photo": torch.zeros(20, 3, 4, 4)}, r"'photo' of example.*\(3, 4, 4\).*\(3, 8, 8\)"),
        ({"attributes": torch.tensor([[0.0, torch.nan]] * 20)}, r"values in 'attributes' that are not finite"),
        ({"photo": torch.full((20, 3, 8, 8), torch.inf)}, r"values in 'photo' that are not finite"),
        ({"photo": None}, r"no tensor|NoneType"),
    ],
)
def test_inputs_that_contradict_their_facts_end_the_check(fields, sentence):
    fields = {name: [None] * 20 if value is None else value for name, value in fields.items()}
    with pytest.raises(DataError, match=sentence):
        preflight(Paired(fingerprint=f"wrong {sentence}", **fields))


def test_the_report_tells_of_inputs(tmp_path):
    report = report_on(Paired(), tmp_path)
    assert report.inputs["map"].kind == "maps"
    assert report.inputs["map"].classes == 4
    assert report.inputs["attributes"].values_found == (0, 19)
    assert report.inputs["photo"].value_range == (0, 255)
    assert not report.problems
    undeclared = report_on(Numbered(4, extra=True))
    assert "'mask' arrives as it is stored" in undeclared.remarks[-1]


def test_duplicates_are_equal_in_all_that_belongs_to_them():
    data = Paired(4)
    data.fields["images"][1] = data.fields["images"][0]
    assert report_on(data).duplicates == []
    for name in data.facts.inputs:
        data.fields[name][1] = data.fields[name][0]
    assert report_on(data).duplicates == [["example 0", "example 1"]]


def test_four_dimensions_without_frames_are_remarked():
    data = Sequences()
    data.facts = DataFacts((3, 1, 4, 4), 6, "volumes", value_range=(0.0, 255.0))
    assert "frames" in report_on(data).remarks[0]
