from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from ganlab_datasets.arrays import Arrays

from ganlab.data import preflight, read_examples
from ganlab.errors import DataError
from ganlab.facts import InputFacts

RANDOM = np.random.default_rng(0)


def saved(path, array):
    np.save(path, array)
    return str(path)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((5, 3, 8, 9), (3, 8, 9)), ((5, 8, 9, 3), (3, 8, 9)), ((5, 8, 9), (1, 8, 9)), ((5, 7), (7,))],
)
def test_layouts(tmp_path, shape, expected):
    array = RANDOM.integers(0, 256, shape, dtype=np.uint8)
    data = Arrays(saved(tmp_path / "a.npy", array))
    assert (data.facts.shape, data.facts.size) == (expected, 5)
    images = read_examples(data, [3, 1])["images"].numpy()
    source = array.transpose(0, 3, 1, 2) if shape == (5, 8, 9, 3) else array
    assert np.array_equal(images.reshape(source[[3, 1]].shape), source[[3, 1]])
    assert torch.equal(data[3]["images"], torch.from_numpy(images[0]))


def test_layout_must_be_named_where_it_is_unclear(tmp_path):
    path = saved(tmp_path / "a.npy", np.zeros((5, 3, 8, 3), np.uint8))
    with pytest.raises(DataError, match="channels_last"):
        Arrays(path)
    assert Arrays(path, layout="channels_last").facts.shape == (3, 3, 8)
    assert Arrays(saved(tmp_path / "b.npy", np.zeros((5, 9, 8, 7), np.uint8)), layout="channels_first").facts.shape == (
        (9, 8, 7)
    )


@pytest.mark.parametrize("kind", ["uint16", ">u2"])
def test_16_bits(tmp_path, kind):
    array = RANDOM.integers(0, 65536, (5, 4, 4)).astype(kind)
    data = Arrays(saved(tmp_path / "a.npy", array))
    assert data.facts.value_range == (0, 65535)
    assert np.array_equal(data.take([2])["images"][0, 0].numpy(), array[2])


def test_floats_need_their_range(tmp_path):
    path = saved(tmp_path / "a.npy", RANDOM.random((5, 4, 4)))
    with pytest.raises(DataError, match=r"float64.*value_range"):
        Arrays(path)
    data = Arrays(path, value_range=(0.0, 1.0))
    assert data[0]["images"].dtype == torch.float32
    assert data.facts.value_range == (0.0, 1.0)
    with pytest.raises(DataError, match="low below high"):
        Arrays(path, value_range=(1.0, 1.0))


def test_labels_beside_and_inside(tmp_path):
    images, labels = np.zeros((5, 4, 4), np.uint8), np.array([0, 2, 1, 0, 2])
    np.savez(tmp_path / "a.npz", images=images, y=labels)
    inside = Arrays(str(tmp_path / "a.npz"), labels="y")
    path = saved(tmp_path / "a.npy", images)
    beside = Arrays(path, labels=saved(tmp_path / "y.npy", labels))
    for data in (inside, beside):
        assert data.facts.class_names == ("0", "1", "2")
        assert data.take([1, 2])["label"].tolist() == [2, 1]
    for bad in (labels[:4], labels - 1, labels / 2):
        with pytest.raises(DataError, match="labels"):
            Arrays(path, labels=saved(tmp_path / "bad.npy", bad))
    with pytest.raises(DataError, match=r"no array 'x'; it has: images, y"):
        Arrays(str(tmp_path / "a.npz"), images="x")


def test_bad_files_are_explained(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        Arrays(str(tmp_path / "no.npy"))
    with pytest.raises(DataError, match="cannot be read"):
        Arrays(saved(tmp_path / "objects.npy", np.array([{}, {}], dtype=object)))
    (tmp_path / "text.npy").write_text("x")
    with pytest.raises(DataError, match="cannot be read"):
        Arrays(str(tmp_path / "text.npy"))
    with pytest.raises(DataError, match="allowed are uint8, uint16 and floats"):
        Arrays(saved(tmp_path / "ints.npy", np.zeros((5, 4, 4), np.int64)))
    with pytest.raises(DataError, match="shape"):
        Arrays(saved(tmp_path / "flat.npy", np.zeros(5)))
    numbers = np.zeros((5, 2))
    numbers[2, 0] = np.inf
    with pytest.raises(DataError, match="example 2 .*not finite"):
        preflight(Arrays(saved(tmp_path / "infinite.npy", numbers), value_range=(-1.0, 1.0)))


def test_a_mapped_file_is_not_sent_to_other_processes(tmp_path):
    data = Arrays(saved(tmp_path / "a.npy", np.ones((100, 64, 64), np.uint8)))
    sent = pickle.dumps(data)
    assert len(sent) < 10_000
    assert torch.equal(pickle.loads(sent)[7]["images"], data[7]["images"])


def test_the_fingerprint_follows_the_content(tmp_path):
    array = np.zeros((5, 4, 4), np.uint8)
    first = Arrays(saved(tmp_path / "a.npy", array)).facts.fingerprint
    assert Arrays(saved(tmp_path / "b.npy", array)).facts.fingerprint == first
    array[4, 3, 3] = 1
    assert Arrays(saved(tmp_path / "a.npy", array)).facts.fingerprint != first


def test_numbers_are_inputs_of_the_examples(tmp_path):
    tags = np.arange(12, dtype=np.int16).reshape(4, 3)
    np.savez(tmp_path / "a.npz", images=np.zeros((4, 2), np.float32), tags=tags, few=tags[:3], flat=tags[:, 0])
    options = {"value_range": (-1.0, 1.0)}
    data = Arrays(str(tmp_path / "a.npz"), numbers={"attributes": "tags"}, **options)
    assert data.facts.inputs == {"attributes": InputFacts((3,))}
    assert data[2]["attributes"].tolist() == [6, 7, 8]
    assert data.take([3, 0])["attributes"].dtype == torch.float32
    assert data.facts.fingerprint != Arrays(str(tmp_path / "a.npz"), **options).facts.fingerprint
    for array in ("few", "flat"):
        with pytest.raises(DataError, match=f"the numbers '{array}' are int16 of shape"):
            Arrays(str(tmp_path / "a.npz"), numbers={"attributes": array}, **options)
    with pytest.raises(DataError, match="cannot be named 'images'"):
        Arrays(str(tmp_path / "a.npz"), numbers={"images": "tags"}, **options)
