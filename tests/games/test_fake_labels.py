from __future__ import annotations

import pytest
import torch

from ganlab.build import facts_of_data, rehearse
from ganlab.data.opening import Wishes, arrange
from ganlab.errors import UserError
from ganlab.facts import MISSING, DataFacts
from ganlab.games.fake_labels import labels_of_fakes
from ganlab.randomness import Randomness
from ganlab.spec import read_spec
from tests.tiny import TinyData

CLASSES = ("a", "b", "c")
FACTS = DataFacts((1, 4, 4), 100, "some", class_names=CLASSES, class_counts=(70, 0, 30))
REALS = torch.zeros(3000, dtype=torch.int64)


class Telling(TinyData):
    """Tiny data that tell all labels: three of four are 0."""

    def every_label(self) -> list[int]:
        return [int(index % 4 == 0) for index in range(len(self))]


def test_fakes_have_the_reals_labels_unless_told_otherwise() -> None:
    assert labels_of_fakes("reals", REALS, FACTS, Randomness(0, count=3000)) is REALS


@pytest.mark.parametrize(("how", "shares"), [("uniform", [1 / 3] * 3), ("frequencies", [0.7, 0.0, 0.3])])
def test_labels_are_drawn_uniformly_or_as_often_as_the_data_have_them(how, shares) -> None:
    labels = labels_of_fakes(how, REALS, FACTS, Randomness(0, count=3000))
    found = torch.bincount(labels, minlength=3) / 3000
    torch.testing.assert_close(found, torch.tensor(shares), atol=0.03, rtol=0)  # three standard deviations
    assert found[1] == shares[1] or how == "uniform"


@pytest.mark.parametrize("how", ["uniform", "frequencies"])
def test_a_label_depends_on_its_row_alone(how) -> None:
    random = Randomness(5, count=3000)
    whole = labels_of_fakes(how, REALS, FACTS, random)
    part = labels_of_fakes(how, REALS[:10], FACTS, random.slice(40, 10))
    assert torch.equal(part, whole[40:50])


def test_data_that_do_not_tell_their_labels_are_refused_with_a_sentence() -> None:
    facts = DataFacts((1, 4, 4), 100, "some", class_names=CLASSES)
    with pytest.raises(UserError, match="does not tell its labels"):
        labels_of_fakes("frequencies", REALS, facts, Randomness(0, count=3000))
    missing = DataFacts((1, 4, 4), 1, MISSING, class_names=CLASSES)
    assert len(labels_of_fakes("frequencies", REALS, missing, Randomness(0, count=3000))) == 3000


def test_classes_are_counted_where_the_data_tell_all_labels() -> None:
    assert arrange(Telling(), Wishes()).facts.class_counts == (37, 13)
    assert arrange(Telling(), Wishes(labels=False)).facts.class_counts == ()
    assert arrange(TinyData(), Wishes()).facts.class_counts == ()
    arranged = arrange(Telling(), Wishes(holdout=0.4))
    labels = [arranged.dataset.every_label()[index] for index in arranged.indices]
    assert arranged.facts.class_counts == (labels.count(0), labels.count(1))
    assert len(arranged) == 30


def test_counts_are_in_no_record() -> None:
    assert "class_counts" not in FACTS.to_record()
    assert DataFacts.from_record(FACTS.to_record()) == FACTS


def test_digits_know_how_often_they_have_each_class() -> None:
    pytest.importorskip("ganlab_datasets")
    spec = read_spec("experiments/quickstart.yaml", ["architecture.fake_labels=frequencies"])
    facts, _ = facts_of_data(spec)
    assert facts is not None
    assert sum(facts.class_counts) == facts.size == 1797
    assert rehearse(spec) is None
