"""Sources that are no files of pictures: LSUN's databases, and the archives of CIFAR and MNIST. No pickle is read."""

from __future__ import annotations

import gzip
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganlab.errors import DataError
from ganlab.preparation.members import Content, Member, Unreadable, reason_of, too_large

_DATABASE = "data.mdb"
_CIFAR = re.compile(r"(?:.*/)?(?P<part>data_batch_[1-5]|test_batch|train|test)\.bin")
_CIFAR_PIXELS = 3 * 32 * 32
_IDX_IMAGES = re.compile(r"(?P<part>.*)[-.]images[-.]idx3-ubyte(?:\.gz)?")
_IDX_MAGIC = {3: b"\x00\x00\x08\x03", 1: b"\x00\x00\x08\x01"}
_LARGEST_IDX = 1 << 30


class LMDBSource:
    """Pictures in an LMDB database, in the order of their keys, as LSUN is published; needs the package `lmdb`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._reading() as database:
            self.members = [Member(f"{key.hex()}.webp", len(value)) for key, value in database.cursor()]

    @staticmethod
    def holds(path: Path) -> bool:
        """Whether a folder is such a database."""
        return (path / _DATABASE).is_file()

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The encoded pictures."""
        with self._reading() as database:
            for name in names:
                value = database.get(bytes.fromhex(name.removesuffix(".webp")))
                yield Unreadable("its key is not in the database any more") if value is None else _encoded(value)

    def _reading(self) -> Any:
        try:
            import lmdb
        except ImportError:
            raise DataError(
                f"'{self.path}' is an LMDB database, which is read with a package that is not installed: 'pip install "
                "lmdb', or install ganlab with its extra, 'ganlab[lmdb]'"
            ) from None
        try:
            return lmdb.open(str(self.path), readonly=True, lock=False, readahead=False).begin()
        except lmdb.Error as error:
            raise DataError(f"the database '{self.path}' cannot be read: {error}") from error


def _encoded(value: bytes) -> Content:
    return too_large(len(value)) or value


class ArraySource:
    """Pictures that lie in arrays, a folder for each class: CIFAR's binary archives, and MNIST's files."""

    def __init__(self, path: Path, parts: Sequence[tuple[str, NDArray[np.uint8], NDArray[np.uint8] | None]]) -> None:
        self.path = path
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        for part, pixels, labels in parts:
            for number, picture in enumerate(pixels):
                folder = "" if labels is None else f"{labels[number]}/"
                self._pictures[f"{folder}{part}-{number:05d}.png"] = picture
        self.members = [Member(name, picture.nbytes) for name, picture in self._pictures.items()]

    def contents(self, names: Sequence[str]) -> Iterator[Content]:
        """The decoded pictures."""
        return (self._pictures[name] for name in names)


def cifar_archive(path: Path) -> ArraySource | None:
    """The pictures of `cifar-10-binary.tar.gz` or `cifar-100-binary.tar.gz`; None for an archive of another name.

    The classes of CIFAR-100 are the fine ones. Raises `DataError` for an archive with pickled batches.
    """
    if "cifar" not in path.name.lower():
        return None
    with tarfile.open(path) as archive:
        names = archive.getnames()
        if not any(_CIFAR.fullmatch(name) for name in names):
            if not any(name.endswith(("data_batch_1", "/train")) for name in names):
                return None
            raise DataError(
                f"'{path}' holds pickled batches, and reading a pickle runs what is in it: take CIFAR's binary archive "
                "instead (cifar-10-binary.tar.gz or cifar-100-binary.tar.gz, from the same page)"
            )
        parts = [_cifar_part(path, archive, entry) for entry in archive.getmembers() if _CIFAR.fullmatch(entry.name)]
    return ArraySource(path, parts)


def _cifar_part(path: Path, archive: tarfile.TarFile, entry: tarfile.TarInfo) -> tuple[str, Any, Any]:
    found, file = _CIFAR.fullmatch(entry.name), archive.extractfile(entry)
    assert found is not None
    assert file is not None, "an entry that is a file has content"
    data = np.frombuffer(file.read(), dtype=np.uint8)
    before = 2 if found["part"] in ("train", "test") else 1  # CIFAR-100: the coarse label, then the fine one
    if not data.size or data.size % (before + _CIFAR_PIXELS):
        raise DataError(f"'{entry.name}' in '{path}' is damaged: {data.size:,} bytes are no whole number of pictures")
    rows = data.reshape(-1, before + _CIFAR_PIXELS)
    return found["part"], rows[:, before:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), rows[:, before - 1]


def idx_file(path: Path) -> ArraySource | None:
    """The pictures of MNIST's `train-images-idx3-ubyte.gz`, with the labels beside it; None for a file of another kind.

    Sets with the same files, such as Fashion-MNIST and KMNIST, are read as well.
    """
    found = _IDX_IMAGES.fullmatch(path.name)
    if found is None:
        return None
    labels = path.with_name(path.name.replace("images", "labels").replace("idx3", "idx1"))
    pixels = _idx(path, 3)
    numbers = _idx(labels, 1) if labels.exists() else None
    if numbers is not None and len(numbers) != len(pixels):
        raise DataError(f"'{labels}' has {len(numbers):,} labels for the {len(pixels):,} pictures of '{path.name}'")
    return ArraySource(path, [(found["part"], pixels, numbers)])


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(_LARGEST_IDX)
    except (OSError, EOFError) as error:
        raise DataError(f"'{path}': {reason_of(error)}") from error
    head = 4 + 4 * dimensions
    shape = np.frombuffer(data[4:head], dtype=">u4").astype(int)
    if data[:4] != _IDX_MAGIC[dimensions] or len(data) - head != np.prod(shape):
        raise DataError(f"'{path}' is no file of {'images' if dimensions == 3 else 'labels'} as MNIST's, or damaged")
    return np.frombuffer(data[head:], dtype=np.uint8).reshape(shape)
