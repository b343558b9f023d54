"""Data that were found sound are not read again, unless they are others under the same name."""

from __future__ import annotations

import pytest

from ganlab.data import preflight
from ganlab.errors import DataError
from ganlab.facts import DataFacts
from tests.data.toys import Numbered


class Counting(Numbered):
    def __init__(self, size, **options):
        super().__init__(size, **options)
        self.reads = 0

    def __getitem__(self, index):
        self.reads += 1
        return super().__getitem__(index % 200)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def reads_of(data):
    data.reads = 0
    preflight(data)
    return data.reads


def test_sound_data_are_read_once(cache):
    data = Counting(200)
    assert [reads_of(data), reads_of(data), reads_of(Counting(200))] == [200, 64, 64]
    (memory,) = (cache / "preflight").iterdir()
    memory.unlink()
    assert reads_of(data) == 200


def test_other_content_under_the_same_fingerprint_is_read():
    assert reads_of(Counting(200)) == 200
    shifted = Counting(200)
    shifted.__class__ = type("Shifted", (Counting,), {"__getitem__": lambda self, i: Counting.__getitem__(self, i + 1)})
    shifted.__class__.__qualname__, shifted.__class__.__module__ = Counting.__qualname__, Counting.__module__
    assert reads_of(shifted) == 200


def test_other_facts_are_other_data():
    assert reads_of(Counting(200)) == 200
    relabelled = Counting(200)
    relabelled.facts = DataFacts((1, 2, 2), 200, relabelled.facts.fingerprint, class_names=("a", "b", "c", "d"))
    assert reads_of(relabelled) == 200


def test_bad_data_are_not_remembered(cache):
    data = Counting(200, broken=[77])
    for _ in range(2):
        data.reads = 0
        with pytest.raises(DataError, match="picture77"):
            preflight(data)
        assert data.reads >= 200
    assert not (cache / "preflight").exists()


def test_domains_and_held_out_examples_are_looked_at():
    data = Counting(100)
    data.further = {"photos": Numbered(10, broken=[3])}
    with pytest.raises(DataError, match=r"1 of 10 examples of the domain 'photos' cannot be used(.|\n)*picture3"):
        preflight(data)
    data.further, data.held_out = {}, Numbered(10, broken=[4])
    with pytest.raises(DataError, match=r"1 of 10 examples held out cannot be used(.|\n)*picture4"):
        preflight(data)


def test_a_folder_that_cannot_be_written_ends_nothing(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GANLAB_CACHE", str(tmp_path / "file"))
    assert [reads_of(Counting(200)), reads_of(Counting(200))] == [200, 200]
