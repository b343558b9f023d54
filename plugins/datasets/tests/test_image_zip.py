from __future__ import annotations

import io
import json
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
import torch
from ganlab_datasets.image_zip import ImageZip
from PIL import Image

from ganlab.data import StepLoader, preflight
from ganlab.errors import DataError, DataMissing


def archive(path, count=6, labels=None, **files):
    with zipfile.ZipFile(path, "w") as target:
        for index in range(count):
            buffer = io.BytesIO()
            Image.fromarray(np.full((8, 8, 3), index * 10, np.uint8)).save(buffer, "PNG")
            target.writestr(f"00000/img{index:08d}.png", buffer.getvalue())
        if labels is not None:
            target.writestr("dataset.json", json.dumps(labels))
        for name, content in files.items():
            target.writestr(name.replace("_", "."), content)
    return str(path)


def test_images_and_labels(tmp_path):
    names = [f"00000/img{index:08d}.png" for index in range(6)]
    labels = {"labels": [[name, index % 3] for index, name in enumerate(names)]}
    data = ImageZip(archive(tmp_path / "a.zip", labels=labels))
    assert (len(data), data.facts.shape, data.facts.class_names) == (6, (3, 8, 8), ("0", "1", "2"))
    assert [data[index]["label"] for index in range(6)] == [0, 1, 2, 0, 1, 2]
    assert data[3]["images"].unique().tolist() == [30]
    assert ImageZip(archive(tmp_path / "a.zip", labels=labels), labels=False).facts.classes == 0


@pytest.mark.parametrize("labels", [None, {"labels": None}])
def test_without_labels(tmp_path, labels):
    data = ImageZip(archive(tmp_path / "a.zip", labels=labels), resolution=4)
    assert data.facts.classes == 0
    assert set(data[0]) == {"images"}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"labels": [["00000/img00000000.png", 1]]}, "img00000001.png.*has no label"),
        ({"labels": [[f"00000/img{index:08d}.png", [0.5]] for index in range(6)]}, r"label \[0.5\]"),
        ({"other": 1}, "cannot be read"),
        ([1], "cannot be read"),
    ],
)
def test_bad_labels_are_explained(tmp_path, labels, message):
    with pytest.raises(DataError, match=message):
        ImageZip(archive(tmp_path / "a.zip", labels=labels))


def test_bad_zips_are_explained(tmp_path):
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(DataError, match="cannot be read as a zip"):
        ImageZip(str(tmp_path / "text.zip"))
    with pytest.raises(DataError, match="does not exist"):
        ImageZip(str(tmp_path / "nowhere.zip"))
    with pytest.raises(DataError, match="no images"):
        ImageZip(archive(tmp_path / "empty.zip", count=0))
    with pytest.raises(DataError, match=r"1 of 7 .*\n.*bad\.png in .*broken\.zip"):
        preflight(ImageZip(archive(tmp_path / "broken.zip", bad_png="no image")))


def test_worker_processes_read_the_same(tmp_path):
    data = ImageZip(archive(tmp_path / "a.zip", count=20))
    data[0]
    read = {}
    for workers in (0, 2):
        loader = iter(StepLoader(data, seed=0, step_size=lambda images_seen: (8, 1), workers=workers))
        read[workers] = [next(loader).images for _ in range(6)]
        del loader
    assert all(map(torch.equal, read[0], read[2]))
    assert torch.equal(pickle.loads(pickle.dumps(data))[5]["images"], data[5]["images"])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"resolution": 8, "channels": 3, "labels": False}, ((3, 8, 8), 0)),
        ({"resolution": 8, "channels": 3}, None),
        ({"resolution": 8, "labels": False}, None),
        ({"channels": 3, "labels": False}, None),
    ],
)
def test_what_the_options_say_of_data_that_are_missing(tmp_path, options, expected):
    with pytest.raises(DataMissing) as missing:
        ImageZip(str(tmp_path / "nowhere"), **options)
    facts = missing.value.facts
    assert (facts and (facts.shape, facts.classes)) == expected


def test_names_of_classes(tmp_path):
    labels = {"labels": [[f"00000/img{index:08d}.png", index % 2] for index in range(6)], "class_names": ["cat", "dog"]}
    assert ImageZip(archive(tmp_path / "a.zip", labels=labels)).facts.class_names == ("cat", "dog")
    assert ImageZip(str(tmp_path / "a.zip"), labels=False).facts.class_names == ()
    for names in (["cat"], ["cat", "cat"], "cat"):
        with pytest.raises(DataError, match="'class_names' in 'dataset.json'.*2 classes"):
            ImageZip(archive(tmp_path / "a.zip", labels=labels | {"class_names": names}))


def test_a_large_member_is_read_in_pieces(tmp_path):
    """Members of 500 MB once took as much memory each, for their headers alone."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        memory = io.BytesIO()
        Image.new("L", (16, 16)).save(memory, "PNG")
        archive.writestr("bomb.png", memory.getvalue() + bytes(300_000_000))
        archive.writestr("small.png", memory.getvalue())
    tracemalloc.start()
    dataset = ImageZip(str(path))
    assert dataset[0]["images"].shape == (1, 16, 16)
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()
