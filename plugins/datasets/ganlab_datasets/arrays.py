"""Images or vectors in NumPy files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlab.contracts import DataFacts
from ganlab.errors import DataError, DataMissing
from ganlab.facts import InputFacts

_RANGES = {"uint8": (0.0, 255.0), "uint16": (0.0, 65535.0)}
_MOST_CLASSES = 1_000_000
_FEW_CHANNELS = (1, 2, 3, 4)
_HASH_ALL_UP_TO = 1 << 28  # bytes
_HASH_ROWS = 1000

Layout = Literal["auto", "channels_first", "channels_last"]


class Arrays:
    """Arrays from `path`, a `.npy` (read where it lies, never whole) or `.npz` file: images or vectors.

    Shapes: (N, C, H, W), (N, H, W, C), grey (N, H, W), or vectors (N, D); `layout` tells the first two apart where 1
    to 4 channels do not. Types: uint8, uint16 and floats. `value_range` [low, high] are the stored values that become
    -1 and 1; floats need it. In a `.npz`, `images` names the array and `labels` that of the classes; beside a `.npy`,
    `labels` is the path of another; false is the same as none. Labels are whole numbers from 0.
    `numbers` are further fields of the examples by name, which games take as inputs, such as the tags of a picture:
    each is the name of an array (N, ...) in the `.npz`, or the path of another `.npy`.
    """

    def __init__(
        self,
        path: str,
        labels: str | Literal[False] | None = None,
        images: str = "images",
        layout: Layout = "auto",
        value_range: tuple[float, float] | None = None,
        numbers: Mapping[str, str] | None = None,
    ) -> None:
        self.path = Path(path).expanduser()
        self._key = images
        self._rows: NDArray[Any] | None = None
        array = self._array()
        self._channels_last = array.ndim == 4 and _channels_last(array.shape, layout)
        self.labels = None if not labels else _labels(self.path, labels, len(array))
        self.numbers = {name: _numbers(self.path, name, given, len(array)) for name, given in (numbers or {}).items()}
        classes = 0 if self.labels is None else int(self.labels.max()) + 1
        self.facts = DataFacts(
            shape=_example_shape(array, self._channels_last),
            size=len(array),
            fingerprint=_fingerprint(array, self.labels, self.numbers, layout, value_range),
            value_range=_checked_range(array, value_range),
            class_names=tuple(str(number) for number in range(classes)),
            inputs={name: InputFacts(tuple(values.shape[1:])) for name, values in self.numbers.items()},
        )

    def __len__(self) -> int:
        return self.facts.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {name: rows[0] for name, rows in self.take([index]).items()}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once; only their rows are read from a `.npy` file."""
        rows = self._array()[np.asarray(indices)]
        rows = rows.transpose(0, 3, 1, 2) if self._channels_last else rows
        rows = rows.astype(np.float32 if rows.dtype.kind == "f" else rows.dtype.newbyteorder("="))
        images = torch.from_numpy(np.ascontiguousarray(rows)).view(len(rows), *self.facts.shape)
        further = {name: values[list(indices)] for name, values in self.numbers.items()}
        return {"images": images, **further} | ({} if self.labels is None else {"label": self.labels[list(indices)]})

    def every_label(self) -> Tensor | None:
        """The labels of all examples."""
        return self.labels

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_rows": None}  # each process maps the file itself instead of receiving its content

    def _array(self) -> NDArray[Any]:
        if self._rows is None:
            self._rows = _load(self.path, self._key)
            if self._rows.ndim not in (2, 3, 4) or not len(self._rows):
                raise DataError(
                    f"'{self.path}' holds an array of shape {self._rows.shape}; images are (N, C, H, W), (N, H, W, C) "
                    "or (N, H, W), vectors (N, D), with N of at least 1"
                )
        return self._rows


def _load(path: Path, key: str) -> NDArray[Any]:
    """The array of a .npy, mapped, or the one named `key` of a .npz. Pickled objects are refused."""
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            if key not in loaded.files:
                raise DataError(f"'{path}' has no array '{key}'; it has: {', '.join(sorted(loaded.files))}")
            array: NDArray[Any] = loaded[key]
            return array
    except DataError:
        raise
    except FileNotFoundError:
        raise DataMissing(f"'{path}' does not exist; a relative path starts at the current folder") from None
    except Exception as error:  # damaged files raise errors of many kinds
        raise DataError(f"'{path}' cannot be read as a NumPy file (.npy or .npz) of numbers: {error}") from error


def _channels_last(shape: tuple[int, ...], layout: str) -> bool:
    if layout != "auto":
        return layout == "channels_last"
    first, last = shape[1] in _FEW_CHANNELS, shape[3] in _FEW_CHANNELS
    if first == last:
        raise DataError(
            f"it is unclear where the channels of an array of shape {shape} are; set 'layout: channels_first' or "
            "'layout: channels_last'"
        )
    return last


def _example_shape(array: NDArray[Any], channels_last: bool) -> tuple[int, ...]:
    if array.ndim == 3:
        return (1, *array.shape[1:])
    if channels_last:
        return (array.shape[3], array.shape[1], array.shape[2])
    return tuple(array.shape[1:])


def _checked_range(array: NDArray[Any], declared: tuple[float, float] | None) -> tuple[float, float]:
    kind = array.dtype.name
    if kind not in _RANGES and array.dtype.kind != "f":
        raise DataError(f"the array holds {kind}; allowed are uint8, uint16 and floats")
    if declared is not None:
        if not declared[0] < declared[1]:
            raise DataError(f"'value_range' is [low, high] with low below high, not {list(declared)}")
        return float(declared[0]), float(declared[1])
    if kind not in _RANGES:
        seen = array[:: max(1, len(array) // _HASH_ROWS)]
        raise DataError(
            f"the array holds {kind} (from {float(seen.min()):g} to {float(seen.max()):g} in a sample), so "
            "'value_range: [low, high]', the stored values that become -1 and 1, is needed"
        )
    return _RANGES[kind]


def _labels(path: Path, labels: str, count: int) -> Tensor:
    beside = path.suffix != ".npz"
    array = _load(Path(labels).expanduser() if beside else path, labels)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise DataError(
            f"the labels '{labels}' are {array.dtype.name} of shape {array.shape}; needed are whole numbers of shape "
            f"({count},), one for each example"
        )
    if not 0 <= int(array.min()) <= int(array.max()) < _MOST_CLASSES:
        raise DataError(f"the labels '{labels}' go from {array.min()} to {array.max()}; classes are numbered from 0")
    return torch.from_numpy(array.astype(np.int64))


def _numbers(path: Path, name: str, given: str, count: int) -> Tensor:
    """A further field, in floats."""
    if name in ("images", "label"):
        raise DataError(f"'numbers' cannot be named '{name}', which examples have already: give them another name")
    array = _load(Path(given).expanduser() if path.suffix != ".npz" else path, given)
    if array.ndim < 2 or len(array) != count or array.dtype.kind not in "iufb":
        raise DataError(
            f"the numbers '{given}' are {array.dtype.name} of shape {array.shape}; needed are numbers of shape "
            f"({count}, size), a vector for each example"
        )
    return torch.from_numpy(np.array(array, dtype=np.float32))


def _fingerprint(
    array: NDArray[Any], labels: Tensor | None, numbers: Mapping[str, Tensor], *preparation: object
) -> str:
    """Hash of shape, type, labels, numbers and options, and of all values up to 256 MiB, or else of 1,000 even rows."""
    digest = hashlib.blake2b(repr((array.shape, array.dtype.str, preparation)).encode(), digest_size=16)
    step = 1 if array.nbytes <= _HASH_ALL_UP_TO else max(1, len(array) // _HASH_ROWS)
    for row in array[::step]:
        digest.update(np.ascontiguousarray(row).tobytes())
    if labels is not None:
        digest.update(labels.numpy().tobytes())
    for name, values in numbers.items():
        digest.update(name.encode() + values.numpy().tobytes())
    return digest.hexdigest()
