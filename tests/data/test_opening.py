"""What a spec says of any data set: labels, held-out examples, further domains, prepared files."""

from __future__ import annotations

import pickle

import pytest
import torch

from ganlab.data import StepPlan, Stream, read_examples
from ganlab.data.opening import Wishes, arrange, domain_within, held_out_of, prepare
from ganlab.errors import DataError
from ganlab.facts import DataFacts, InputFacts
from tests.data.toys import Numbered, Paired, Points


def numbers(dataset):
    return read_examples(dataset, range(len(dataset)))["images"][:, 0, 0, 0].tolist()


class Domains(Numbered):
    """Numbered images with five photos beside them."""

    prepared = 0

    def __init__(self, size=12):
        super().__init__(size)
        self.photos = Numbered(5)
        self.photos.facts = DataFacts((1, 2, 2), 5, "photos", class_names=("a", "b", "c"))
        self.further = {"photos": self.photos}

    def prepare(self):
        self.prepared += 1


def test_data_that_need_no_change_stay_themselves():
    data = Numbered(5)
    assert arrange(data, Wishes()) is data


@pytest.mark.parametrize("data", [Numbered(9), Points(torch.randn(9, 2))], ids=["by index", "by take"])
def test_hidden_labels_are_nowhere(data):
    hidden = pickle.loads(pickle.dumps(arrange(data, Wishes(labels=False))))
    assert hidden.facts.classes == 0
    assert "label" not in read_examples(hidden, [0, 1])
    assert Stream(hidden, seed=0)[StepPlan(0, 0, 4, 1, 0, 4)].labels is None
    assert (hidden.facts.fingerprint == data.facts.fingerprint) is (data.facts.classes == 0)
    assert hasattr(hidden, "take") is hasattr(data, "take")


def test_a_share_is_held_out_by_fingerprint_and_seed():
    data = Numbered(40)
    train = arrange(data, Wishes(holdout=0.25))
    held = held_out_of(train)
    assert sorted(numbers(train) + numbers(held)) == list(range(40))
    assert (len(train), len(held), held.facts.size) == (30, 10, 10)
    assert len({data.facts.fingerprint, train.facts.fingerprint, held.facts.fingerprint}) == 3
    assert train.facts.held_out == held.facts.fingerprint
    assert numbers(held_out_of(arrange(data, Wishes(holdout=0.25)))) == numbers(held)
    other = held_out_of(arrange(data, Wishes(holdout=0.25, holdout_seed=1)))
    assert numbers(other) != numbers(held)
    assert other.facts.fingerprint != held.facts.fingerprint
    assert set(numbers(held)) < set(numbers(held_out_of(arrange(data, Wishes(holdout=0.5)))))
    shown = Stream(train, seed=0)[StepPlan(0, 0, 90, 1, 0, 90)].images[:, 0, 0, 0]
    assert set(shown.tolist()) == set(range(40)) - set(numbers(held))


def test_a_cache_beneath_the_split_serves_both_parts(tmp_path):
    data = Paired(20)
    train = arrange(data, Wishes(holdout=0.2, cache=tmp_path))
    prepare(train)
    assert [folder.name for folder in tmp_path.iterdir()] == ["paired"]
    for part in (train, held_out_of(train)):
        plain = [example for example in range(20) if example in part.indices]
        expected = read_examples(data, plain, 4)
        for name, value in read_examples(part, range(len(part)), 4).items():
            assert torch.equal(value, expected[name])


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_a_share_that_leaves_nothing_is_refused(share):
    with pytest.raises(DataError, match=r"holds out (0|10) of 10"):
        arrange(Numbered(10), Wishes(holdout=share))


def test_held_out_examples_of_the_data_set_itself():
    data, test = Numbered(10), Numbered(6)
    data.held_out = test
    opened = arrange(data, Wishes(labels=False))
    assert opened.facts.held_out == "numbered-6-unlabelled"
    assert numbers(held_out_of(opened)) == list(range(6))
    with pytest.raises(DataError, match="of their own"):
        arrange(data, Wishes(holdout=0.1))
    test.facts = DataFacts((1, 2, 2), 6, "other", class_names=("x",))
    with pytest.raises(DataError, match="class_names"):
        arrange(data, Wishes())


def test_domains_have_facts_and_epochs_of_their_own():
    data = arrange(Domains(), Wishes())
    assert data.facts.further == {"photos": Domains().photos.facts}
    stream = Stream(data, seed=0)
    batches = [stream[StepPlan(12 * epoch, 0, 12, 1, 0, 12)] for epoch in range(5)]
    photos = torch.cat([batch.further["photos"].images[:, 0, 0, 0] for batch in batches])
    assert all(sorted(epoch.tolist()) == list(range(5)) for epoch in photos.split(5))
    (batch,) = batches[1].batches(data.facts, seed=0)
    assert batch.further["photos"].images.min() >= -1
    parts = batch.scoped("x").split(5)
    assert torch.equal(torch.cat([part.further["photos"].images for part in parts]), batch.further["photos"].images)
    again = Stream(data, seed=0)[StepPlan(30, 0, 4, 1, 0, 4)]
    assert again.further["photos"].images[:, 0, 0, 0].tolist() == photos[30:34].tolist()


def test_domains_of_one_size_are_paired_anew_in_each_epoch():
    data = Domains(5)
    stream = Stream(arrange(data, Wishes()), seed=0)
    pairs = []
    for epoch in range(4):
        batch = stream[StepPlan(5 * epoch, 0, 5, 1, 0, 5)]
        partner = dict(zip(numbers_of(batch), numbers_of(batch.further["photos"]), strict=True))
        pairs.append(tuple(partner[number] for number in range(5)))
    assert len(set(pairs)) > 1


def numbers_of(batch):
    return batch.images[:, 0, 0, 0].tolist()


def test_two_ranks_share_the_domains_batch():
    stream = Stream(arrange(Domains(), Wishes()), seed=0)
    whole = numbers_of(stream[StepPlan(8, 0, 8, 1, 0, 8)].further["photos"])
    ranks = [numbers_of(stream[StepPlan(8, 0, 8, 1, start, 4)].further["photos"]) for start in (0, 4)]
    assert ranks[0] + ranks[1] == whole


def test_domains_are_held_out_and_unlabelled_with_the_rest():
    data = arrange(Domains(), Wishes(labels=False, holdout=0.25))
    held = held_out_of(data)
    assert (len(data.further["photos"]), len(held.further["photos"])) == (4, 1)
    assert held.facts.further["photos"] == held.further["photos"].facts
    assert data.facts.further["photos"].classes == 0


def test_a_domain_comes_with_its_own_held_out_examples():
    data = arrange(Domains(), Wishes(holdout=0.25))
    assert domain_within(data, None) is data
    photos = domain_within(data, "photos")
    assert photos is data.further["photos"]
    assert sorted(numbers(photos) + numbers(held_out_of(photos))) == list(range(5))
    whole = Domains()
    whole.held_out = Domains(3)
    whole.held_out.facts = DataFacts((1, 2, 2), 3, "others")
    whole.facts = DataFacts((1, 2, 2), 12, "whole")
    photos = domain_within(whole, "photos")
    assert held_out_of(photos) is whole.held_out.photos
    assert (numbers(photos), photos.facts.held_out) == (numbers(whole.photos), "photos")


def test_files_are_made_once_whatever_stands_on_the_data():
    data = Domains()
    prepare(arrange(data, Wishes(labels=False, holdout=0.25)))
    assert data.prepared == 1
    assert "prepare" not in dir(arrange(Numbered(4), Wishes(labels=False)))


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (DataFacts((3, 4, 4), 4, "x", frames=3), "frames"),
        (DataFacts((1, 2, 2), 4, "x", inputs={"label": InputFacts((1,))}), "'label'"),
        (DataFacts((1, 2, 2), 4, "x", inputs={"photo": InputFacts((2,), "images")}), "'photo'.*images are"),
        (DataFacts((1, 2, 2), 4, "x", inputs={"map": InputFacts((2,), "maps")}), "maps are"),
        (DataFacts((1, 2, 2), 4, "x", inputs={"pose": InputFacts((2,), classes=3)}), "only maps"),
        (DataFacts((1, 2, 2), 4, "x", inputs={"p": InputFacts((1, 2, 2), "images", (5.0, 5.0))}), "low below high"),
    ],
)
def test_facts_that_contradict_themselves_are_refused(facts, sentence):
    data = Numbered(4)
    data.facts = facts
    with pytest.raises(DataError, match=sentence):
        arrange(data, Wishes())


def test_extras_are_those_that_a_reopened_run_sees():
    data = Numbered(4)
    data.facts = DataFacts((1, 2, 2), 4, "x", extras={"centres": torch.eye(2)})
    assert arrange(data, Wishes()).facts.extras == {"centres": [[1.0, 0.0], [0.0, 1.0]]}
