"""The sweep that trains the paper's hundred models."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.spec import read_spec
from ganlab.sweeps.checking import overrides_of
from ganlab.sweeps.file import read_sweep_file
from ganlab.sweeps.search import Search

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)  # which the file's command starts from


def test_a_hundred_models_have_all_classes_between_them():
    sweep = read_sweep_file(Path("experiments/papers/acgan/imagenet-100.yaml"))
    search = Search(sweep)
    assert search.planned == 100
    values = [sweep.values(search.suggest(number, []).parameters, None) for number in range(100)]
    specs = {number: read_spec(*overrides_of(sweep, values[number])) for number in (0, 57, 99)}
    assert all(spec.data.options["first_class"] == values[number]["data.first_class"] for number, spec in specs.items())
    count = specs[0].data.options["classes"]
    trained = [
        place for value in values for place in range(value["data.first_class"], value["data.first_class"] + count)
    ]
    assert sorted(trained) == list(range(1000))
