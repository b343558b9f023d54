"""The platform's keys of a data set, and a data set's own option of the same name."""

from __future__ import annotations

import pytest

from ganlab.build import build_dataset, open_dataset
from ganlab.data.opening import held_out_of
from ganlab.errors import SpecError
from ganlab.spec import dump, read_spec
from tests.toy import TOY_PLUGINS, toy_modules

OWN = '''

class Labelled(ToyData):
    """Noise.

    Args:
        labels: a word of its own.
    """

    prepared = 0

    def __init__(self, labels: str | None = None) -> None:
        super().__init__()
        self.word = labels

    def prepare(self) -> None:
        type(self).prepared += 1
'''


@pytest.fixture
def read(toy_spec, install):
    plugins = {**TOY_PLUGINS, "datasets": {**TOY_PLUGINS["datasets"], "own": "ganlab_toy:Labelled"}}
    install("ganlab-toy", plugins, {"ganlab_toy": toy_modules()["ganlab_toy"] + OWN})
    return lambda *overrides: read_spec(toy_spec, overrides)


@pytest.mark.filterwarnings("ignore")
def test_labels_are_hidden_and_examples_held_out(read, tmp_path):
    spec = read("data.labels=false", "data.holdout=0.25")
    data = build_dataset(spec.data)
    assert (data.facts.classes, len(data), len(held_out_of(data))) == (0, 24, 8)
    path = tmp_path / "again.yaml"
    path.write_text(dump(spec))
    assert read_spec(path) == spec
    with pytest.raises(SpecError, match="holdout"):
        read("data.holdout=1.0")


def test_an_option_of_the_data_set_goes_first(toy_spec, read, tmp_path):
    text = toy_spec.read_text().replace("name: toy\n  resolution: 4", "name: own\n  labels: words")
    path = tmp_path / "own.yaml"
    path.write_text(text)
    spec = read_spec(path)
    assert (spec.data.options["labels"], spec.data.labels) == ("words", True)
    assert build_dataset(spec.data).word == "words"
    path.write_text(dump(spec))
    assert read_spec(path) == spec


def test_files_are_made_when_data_are_opened_by_the_first_process_of_a_machine(toy_spec, read, tmp_path, monkeypatch):
    path = tmp_path / "own.yaml"
    path.write_text(toy_spec.read_text().replace("name: toy\n  resolution: 4", "name: own"))
    node = read_spec(path).data
    kind = type(build_dataset(node))
    assert kind.prepared == 0
    open_dataset(node)
    assert kind.prepared == 1
    monkeypatch.setenv("LOCAL_RANK", "1")
    open_dataset(node)
    assert kind.prepared == 1
