"""Facts survive the file in which a run keeps them."""

from __future__ import annotations

import json

import pytest
import torch

from ganlab.facts import DataFacts, InputFacts


def reopened(facts: DataFacts) -> DataFacts:
    return DataFacts.from_record(json.loads(json.dumps(facts.to_record())))


@pytest.mark.parametrize(
    "extras",
    [
        {"range": (1, 2.5), "names": ["a", ("b", None)], "deep": {"point": ((0.0, 1.0), True)}},
        {1: "one", (2, 3): [4]},
        {"tuple": 1},
        {"outer": {"pairs": [1, 2]}},
    ],
)
def test_extras_come_back_as_they_were(extras):
    facts = DataFacts((2,), 5, "x", extras=extras)
    assert reopened(facts) == facts
    assert repr(reopened(facts).extras) == repr(extras)


def test_tensors_among_the_extras_become_lists():
    assert reopened(DataFacts((2,), 5, "x", extras={"centres": torch.eye(2)})).extras == {"centres": [[1, 0], [0, 1]]}


def test_inputs_and_domains_come_back():
    photos = DataFacts((3, 8, 8), 7, "photos", class_names=("a", "b"))
    facts = DataFacts(
        (4, 1, 8, 8),
        5,
        "x",
        inputs={"map": InputFacts((1, 8, 8), "maps", classes=3)},
        frames=4,
        further={"photos": photos},
        held_out="y",
    )
    assert reopened(facts) == facts


def test_a_record_from_before_there_were_inputs_is_read():
    old = {"shape": [1, 4, 4], "size": 3, "fingerprint": "x", "value_range": [0, 255], "class_names": [], "extras": {}}
    assert DataFacts.from_record(old) == DataFacts((1, 4, 4), 3, "x")


def test_sequences_are_pictures_and_other_shapes_are_vectors():
    sequence = DataFacts((5, 3, 8, 8), 1, "x", frames=5)
    assert (sequence.is_images, sequence.channels, sequence.resolution) == (True, 3, 8)
    assert sequence.image_shape == (3, 8, 8)
    volume = DataFacts((5, 3, 8, 8), 1, "x")
    assert (volume.is_images, volume.channels, volume.resolution) == (False, None, None)


def test_names_of_classes_do_nothing_to_terminals():
    names = ("cat", "\x1b[2J", "a\nb", "\udcff", "<b>", "日本")
    assert DataFacts((2,), 1, "x", class_names=names).class_names == (
        "cat", "\\x1b[2J", "a\\nb", "\\udcff", "<b>", "日本",
    )  # fmt: skip
