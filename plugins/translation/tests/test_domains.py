from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_translation.domains import Changes, Domains

from ganlab import DataFacts, InputFacts, UserError

CLASSES = DataFacts((3, 8, 8), 4, "classes", class_names=("happy", "sad", "angry"))
FACES = DataFacts(
    (3, 8, 8),
    4,
    "faces",
    inputs={"attributes": InputFacts((4,))},
    extras={"attributes": ("black", "blond", "male", "young")},
)
JOINT = DataFacts(**{**FACES.__dict__, "further": {"second": CLASSES}})


def test_vectors_of_two_data_sets_have_a_mask():
    domains = Domains(JOINT)
    assert (domains.size, domains.lengths) == (4 + 3 + 2, [4, 3])
    faces = domains.sets[0].known(None, {"attributes": torch.tensor([[1.0, 0, 0, 1]])})
    assert domains.vector(faces).tolist() == [[1, 0, 0, 1, 0, 0, 0, 1, 0]]
    moods = domains.sets[1].known(torch.tensor([2]), {})
    assert domains.vector(moods, 1).tolist() == [[0, 0, 0, 0, 0, 0, 1, 0, 1]]


def test_one_data_set_has_none():
    assert Domains(CLASSES).size == 3
    assert Domains(FACES).size == 4


def test_losses_are_those_of_the_published_code_in_float64():
    """Sums over attributes divided by the batch; cross-entropy of classes; of two data sets what is known."""
    random = np.random.default_rng(0)
    logits, wanted = random.normal(size=(5, 4)), random.integers(0, 2, (5, 4)).astype(float)
    probabilities = 1 / (1 + np.exp(-logits))
    entropies = -(wanted * np.log(probabilities) + (1 - wanted) * np.log(1 - probabilities)).sum() / 5
    found = Domains(FACES).loss(torch.tensor(logits), torch.tensor(wanted))
    assert float(found) == pytest.approx(entropies, rel=1e-12)

    scores, labels = random.normal(size=(5, 3)), np.array([0, 2, 1, 1, 0])
    cross = np.mean([np.log(np.exp(row).sum()) - row[label] for row, label in zip(scores, labels, strict=True)])
    hot = torch.nn.functional.one_hot(torch.tensor(labels), 3).double()
    assert float(Domains(CLASSES).loss(torch.tensor(scores), hot)) == pytest.approx(cross, rel=1e-12)

    joint, both = Domains(JOINT), torch.tensor(np.concatenate([logits, scores], axis=1))
    assert float(joint.loss(both, joint.vector(torch.tensor(wanted)))) == pytest.approx(entropies, rel=1e-12)
    assert float(joint.loss(both, joint.vector(hot, 1))) == pytest.approx(cross, rel=1e-12)


def test_accuracy_counts_what_is_known():
    joint = Domains(JOINT)
    logits = torch.tensor([[2.0, -1, -1, 1, 5, 0, 0]])
    assert float(joint.accuracy(logits, joint.vector(torch.tensor([[1.0, 0, 1, 1]])))) == 0.75
    assert float(joint.accuracy(logits, joint.vector(torch.tensor([[1.0, 0, 0]]), 1))) == 1


def test_what_is_set_excludes_others_of_its_group():
    changes = Changes(Domains(FACES).sets[0], [["black", "blond"]])
    known = torch.tensor([[1.0, 0, 1, 0]])
    assert changes.with_domain(known, changes.number("blond")).tolist() == [[0, 1, 1, 0]]
    assert changes.turned(known, 2).tolist() == [[1, 0, 0, 0]]
    assert changes.turned(known, 0).tolist() == [[1, 0, 1, 0]]
    assert Changes(Domains(CLASSES).sets[0], []).turned(known[:, :3], 1).tolist() == [[0, 1, 0]]


def test_domains_of_all_sets_are_found_by_their_names():
    joint = Domains(JOINT)
    assert (joint.find("male"), joint.find("sad"), joint.find("second.sad")) == ((0, 2), (1, 1), (1, 1))
    with pytest.raises(UserError, match="no domain 'glad'; the domains are black, .* happy, sad, angry"):
        joint.find("glad")
    twice = Domains(DataFacts(**{**CLASSES.__dict__, "further": {"second": CLASSES}}))
    with pytest.raises(UserError, match="write first.sad or second.sad"):
        twice.find("sad")
    assert (twice.find("first.sad"), twice.find("second.sad")) == ((0, 1), (1, 1))
    with pytest.raises(UserError, match="no further data set 'third'.*: second"):
        joint.place("third")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Domains(DataFacts((3, 8, 8), 4, "none")), "at least two classes, or with an input 'attributes'"),
        (lambda: Changes(Domains(CLASSES).sets[0], [["happy"]]), "classes exclude each other anyway"),
        (lambda: Changes(Domains(FACES).sets[0], [["blnd"]]), "the domains are black, blond, male, young"),
    ],
)
def test_mistakes_end_in_a_sentence(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()
