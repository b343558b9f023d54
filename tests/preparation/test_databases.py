"""LSUN's databases, and CIFAR's and MNIST's archives, as sources; what holds pickles is refused and not read."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from ganlab_datasets.image_zip import ImageZip

from ganlab.errors import DataError
from ganlab.preparation import prepare_pictures
from tests.preparation.sources import pixels, png, request

PIXELS = np.random.default_rng(0).integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)


def tar_of(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def idx(values: np.ndarray) -> bytes:
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, dtype=">u4").tobytes()
    return head + values.astype(np.uint8).tobytes()


def test_a_database_is_read_in_the_order_of_its_keys(tmp_path) -> None:
    lmdb = pytest.importorskip("lmdb")
    contents = {f"key{index}".encode(): png(seed=index, size=(8, 8)) for index in (2, 0, 1)}
    with lmdb.open(str(tmp_path / "bedroom_lmdb")) as database, database.begin(write=True) as writing:
        for key, content in contents.items():
            writing.put(key, content)
    prepare_pictures(request(tmp_path / "bedroom_lmdb", out=tmp_path / "out.zip", shape=(8, 8)), workers=1)
    data = ImageZip(str(tmp_path / "out.zip"))
    shown = [np.asarray(data[index]["images"]) for index in range(3)]
    for index in range(3):
        np.testing.assert_array_equal(shown[index].transpose(1, 2, 0), np.asarray(pixels(seed=index, size=(8, 8))))


@pytest.mark.parametrize(("name", "before"), [("data_batch_1.bin", 1), ("train.bin", 2)])
def test_cifars_binary_archives_are_read_with_their_labels(tmp_path, name: str, before: int) -> None:
    labels = np.array([[5, 7], [3, 2], [5, 7], [3, 2]], dtype=np.uint8)[:, -before:]
    rows = np.concatenate([labels, PIXELS.reshape(4, -1)], axis=1)
    source = tar_of(tmp_path / "cifar.tar.gz", {f"cifar-10-batches-bin/{name}": rows.tobytes()})
    summary = prepare_pictures(request(source, out=tmp_path / "out.zip", shape=(32, 32)), workers=1)
    assert summary.classes == {"2": 2, "7": 2}
    data = ImageZip(str(tmp_path / "out.zip"))
    found = {np.asarray(data[index]["images"]).tobytes() for index in range(4)}
    assert found == {picture.tobytes() for picture in PIXELS}


def test_cifars_pickles_are_refused(tmp_path) -> None:
    files = {"cifar-10-batches-py/data_batch_1": pickle.dumps({"data": 1})}
    with pytest.raises(DataError, match="reading a pickle runs what is in it.*cifar-10-binary"):
        prepare_pictures(request(tar_of(tmp_path / "cifar.tar.gz", files), out=tmp_path / "o.zip"), workers=1)


def test_a_damaged_batch_is_told(tmp_path) -> None:
    source = tar_of(tmp_path / "cifar.tar.gz", {"cifar-10-batches-bin/test_batch.bin": b"x" * 100})
    with pytest.raises(DataError, match="no whole number of pictures"):
        prepare_pictures(request(source, out=tmp_path / "o.zip"), workers=1)


@pytest.mark.parametrize("packed", [True, False])
def test_mnists_files_are_read_with_the_labels_beside_them(tmp_path, packed: bool) -> None:
    ending = ".gz" if packed else ""
    images, labels = PIXELS[:, 0, :28, :28], np.array([3, 1, 3, 0])
    for name, values in (("images-idx3", images), ("labels-idx1", labels)):
        path = tmp_path / f"train-{name}-ubyte{ending}"
        path.write_bytes(gzip.compress(idx(values)) if packed else idx(values))
    source = tmp_path / f"train-images-idx3-ubyte{ending}"
    wanted = request(source, out=tmp_path / "out.zip", shape=(28, 28), channels=1)
    assert prepare_pictures(wanted, workers=1).classes == {"0": 1, "1": 1, "3": 2}
    data = ImageZip(str(tmp_path / "out.zip"))
    assert {np.asarray(data[index]["images"]).tobytes() for index in range(4)} == {image.tobytes() for image in images}


def test_damaged_files_and_labels_of_others_are_told(tmp_path) -> None:
    source = tmp_path / "train-images-idx3-ubyte"
    source.write_bytes(idx(PIXELS[:, 0])[:-1])
    with pytest.raises(DataError, match="no file of images as MNIST's, or damaged"):
        prepare_pictures(request(source, out=tmp_path / "o.zip"), workers=1)
    source.write_bytes(idx(PIXELS[:, 0]))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx(np.arange(3)))
    with pytest.raises(DataError, match="3 labels for the 4 pictures"):
        prepare_pictures(request(source, out=tmp_path / "o.zip"), workers=1)
