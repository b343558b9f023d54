"""Mistakes of data sets, each with the sentence that the kit says of it."""

from __future__ import annotations

import pytest

from ganlab.facts import DataFacts, InputFacts
from ganlab.testing.dataset_checks import check_dataset, check_examples
from ganlab.testing.examples import ExampleData

GOOD = """
import torch
from ganlab import DataFacts, InputFacts

class Good:
    def __init__(self, resolution: int = 4, size: int = 20, bright: bool = False):
        generator = torch.Generator().manual_seed(0)
        low = 128 if bright else 0
        self.images = torch.randint(low, 256, (size, 1, resolution, resolution), generator=generator).byte()
        self.facts = DataFacts(
            (1, resolution, resolution), size, f"good-{resolution}-{size}-{bright}", class_names=("a", "b"),
            inputs={"map": InputFacts((resolution, resolution), "maps", classes=2)},
        )

    def __len__(self):
        return self.facts.size

    def __getitem__(self, index):
        return {"images": self.images[index], "label": index % 2, "map": (self.images[index, 0] % 2).long()}

    def take(self, indices):
        rows = torch.as_tensor(indices)
        return {"images": self.images[rows], "label": rows % 2, "map": (self.images[rows, 0] % 2).long()}
"""

MISTAKES = {
    "labels": ('"label": rows % 2', '"label": rows % 3', "labels from 0 to 2; 2 classes allow 0 to 1"),
    "range": (
        "class_names=",
        "value_range=(0.0, 127.0), class_names=",
        "from .* 'value_range' says 0 to 127",
    ),
    "contrast": ("class_names=", "value_range=(0.0, 65535.0), class_names=", "no contrast"),
    "fingerprint": ("-{bright}", "", "'bright: True' changes the data but not the fingerprint"),
    "take": ("self.images[rows],", "self.images[rows].flip(-1),", "'take' gives another 'images' than indexing"),
    "take's fields": (
        ', "map": (self.images[index, 0] % 2).long()}',
        "}",
        "'map' is there by 'take' or by",
    ),
    "maps": ("(self.images[rows, 0] % 2)", "(self.images[rows, 0] % 3)", "map 'map' .* 2 classes allow 0 to 1"),
    "map's shape": ("(self.images[rows, 0] % 2)", "(self.images[rows] % 2)", "'map' of .*shape .*; its facts say"),
    "size": ("size, f", "size + 1, f", "20 examples, but facts.size is 21|index 20 is out of"),
    "instances": ("manual_seed(0)", "manual_seed(torch.initial_seed() + next(COUNT))", "changes from one instance"),
}


def installed(install, source):
    source = source.replace("import torch\n", "import itertools\nimport torch\nCOUNT = itertools.count()\n", 1)
    install("ganlab-good", {"datasets": {"good": "good_data:Good"}}, {"good_data": source})


def test_a_good_data_set_passes(install):
    installed(install, GOOD)
    check_dataset("good")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(install, mistake):
    before, after, sentence = MISTAKES[mistake]
    assert before in GOOD
    installed(install, GOOD.replace(before, after, 1))
    with pytest.raises((AssertionError, ValueError), match=sentence):
        check_dataset("good")


def test_the_kits_own_examples_are_what_their_facts_say():
    photos = DataFacts((3, 8, 8), 9, "photos", inputs={"photo": InputFacts((3, 8, 8), "images", (-1.0, 1.0))})
    facts = DataFacts(
        (2, 1, 8, 8),
        12,
        "kit",
        frames=2,
        class_names=("a", "b"),
        inputs={"map": InputFacts((8, 8), "maps", classes=3), "pose": InputFacts((4,))},
        further={"photos": photos},
        held_out="kit-held-out",
    )
    check_examples(ExampleData(facts))
