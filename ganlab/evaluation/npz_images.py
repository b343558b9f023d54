"""Images in an `.npz`, as ADM's reference batches and samples are published; read without running anything."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganlab.errors import DataError, reason
from ganlab.facts import DataFacts

ARRAY = "arr_0"
"""The name of the images (N, H, W, C): what `numpy.savez` calls an array that gets no name."""


class NpzImages:
    """The bytes (N, H, W, C) in `arr_0` of a file as a data set without labels; they are in memory all at once.

    Raises `DataError` for a file that holds anything else under this name. Pickled objects are refused.
    """

    def __init__(self, path: Path) -> None:
        images = _read(path)
        if images.dtype != np.uint8 or images.ndim != 4 or not 1 <= images.shape[3] <= 4 or not len(images):
            raise DataError(
                f"'{ARRAY}' of '{path}' is {images.dtype} of the shape {images.shape}; images are bytes (uint8) of the "
                "shape (N, H, W, channels), with 1 to 4 channels"
            )
        self._images = torch.from_numpy(images).permute(0, 3, 1, 2)
        self.facts = DataFacts(tuple(self._images.shape[1:]), len(images), fingerprint_of(path))

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return {"images": self._images[index]}


def names_in(path: Path) -> list[str]:
    """The names of the arrays in an `.npz`. Raises `DataError`."""
    return list(_opened(path).files)


def fingerprint_of(path: Path) -> str:
    """32 digits that tell files apart by what is in them."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]


def read_arrays(path: Path, names: frozenset[str]) -> dict[str, np.ndarray]:
    """All arrays of these names that an `.npz` has; the others are not read. Raises `DataError`."""
    try:
        with _opened(path) as file:
            return {name: file[name] for name in file.files if name in names}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' is no .npz of plain arrays: {reason(error)}") from error


def _read(path: Path) -> np.ndarray:
    found = read_arrays(path, frozenset({ARRAY}))
    if ARRAY not in found:
        raise DataError(f"'{path}' holds {', '.join(names_in(path)) or 'nothing'}; images are '{ARRAY}'")
    return found[ARRAY]


def _opened(path: Path) -> Any:
    try:
        file = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise DataError(f"'{path}' cannot be read: {reason(error)}") from error
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"'{path}' is no .npz of plain arrays: {reason(error)}") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise DataError(f"'{path}' is no .npz of plain arrays, but one array alone")
    return file
