"""Means and covariances of features as others publish them, read without running anything that is in the files."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganlab.errors import DataError, reason
from ganlab.evaluation.feature_set import Features
from ganlab.evaluation.npz_images import fingerprint_of, names_in, read_arrays
from ganlab.facts import DataFacts
from ganlab.files import write_atomically

_NAMES = (("mu", "sigma"), ("mean", "cov"))
_WANTED = frozenset(name for pair in _NAMES for name in pair) | {"count"}
_LARGEST = 2**31  # bytes of one array


@dataclass(frozen=True)
class PublishedStatistics:
    """Features of which only mean and covariance are known, and the file that they are from."""

    features: Features
    fingerprint: str
    source: str


class NoExamples:
    """Stands for data of which the facts alone are known, as statistics are compared with and no examples."""

    def __init__(self, facts: DataFacts) -> None:
        self.facts = replace(facts, size=0)

    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        raise IndexError(f"there is no example {index}, and no other")


def read_statistics(path: Path, space: str | None = None) -> PublishedStatistics:
    """The mean and covariance in an `.npz` (`mu` and `sigma`, also of ADM) or in a `.pkl` of EDM2.

    A file of EDM2 holds several spaces of features, such as `fid` and `fd_dinov2`: `space` names one, which need not be
    where there is one only. Nothing that is in a file is run: pickled objects are refused, but for plain arrays.
    Raises `DataError` for a file that holds anything else.
    """
    arrays = _of_spaces(path, space) if path.suffix == ".pkl" else read_arrays(path, _WANTED)
    for mean_name, covariance_name in _NAMES:
        if mean_name in arrays and covariance_name in arrays:
            mean, covariance = (np.asarray(arrays[name], np.float64) for name in (mean_name, covariance_name))
            features = _checked(path, mean, covariance, _count(arrays))
            return PublishedStatistics(features, fingerprint_of(path), path.name)
    found = ", ".join(arrays if path.suffix == ".pkl" else names_in(path)) or "nothing"
    raise DataError(f"'{path}' holds {found}; statistics of features are 'mu' and 'sigma'")


def write_statistics(path: Path, features: Features) -> None:
    """Write `mu` and `sigma` (float64) and `count` as an `.npz`, which other tools read."""
    if path.suffix != ".npz":
        raise DataError(f"statistics are written as .npz, not as '{path.name}'")
    arrays = {"mu": features.mean.numpy(), "sigma": features.covariance.numpy(), "count": np.array(features.count or 0)}
    write_atomically(path, lambda temporary: np.savez(temporary, allow_pickle=False, **arrays))


def _checked(path: Path, mean: np.ndarray, covariance: np.ndarray, count: int | None) -> Features:
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
        raise DataError(
            f"'{path}' has a mean of shape {mean.shape} and a covariance of shape {covariance.shape}; they should be "
            "(D,) and (D, D)"
        )
    if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
        raise DataError(f"'{path}' holds numbers that are not finite")
    return Features.of_statistics(torch.from_numpy(mean.copy()), torch.from_numpy(covariance.copy()), count)


def _count(arrays: Mapping[str, Any]) -> int | None:
    count = int(np.asarray(arrays["count"])) if "count" in arrays else 0
    return count or None


def _of_spaces(path: Path, space: str | None) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = _ArraysOnly(file).load()
    except OSError as error:
        raise DataError(f"'{path}' cannot be read: {reason(error)}") from error
    except Exception as error:  # damaged and foreign pickles raise errors of many kinds
        raise DataError(f"'{path}' is refused: {reason(error)}") from error
    if not isinstance(content, dict):
        raise DataError(f"'{path}' holds no mapping of statistics")
    spaces = {name: part for name, part in content.items() if isinstance(part, dict)} or {"": content}
    if space is None and len(spaces) == 1:
        (space,) = spaces
    if space not in spaces:
        raise DataError(
            f"'{path}' holds statistics of {', '.join(spaces)}; say which, as in '{path}:{next(iter(spaces))}'"
        )
    return {name: part.array() if isinstance(part, _Array) else part for name, part in spaces[space].items()}


class _Type:
    """Stands for a type of numbers in a pickle."""

    def __init__(self, code: str = "", align: bool = False, copy: bool = False) -> None:
        del align, copy
        if code not in ("f4", "f8", "i4", "i8"):
            raise ValueError(f"arrays of the type '{code}' are not read")
        self.type = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.type = self.type.newbyteorder("<" if state[1] in ("<", "|", "=") else ">")


class _Array:
    """Stands for an array in a pickle: what it is made of, looked at before anything is made."""

    def __init__(self, *of: Any) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def array(self) -> np.ndarray:
        """The array."""
        _, shape, of_type, by_columns, data = self.state
        if not isinstance(of_type, _Type) or len(data) > _LARGEST:
            raise ValueError("an array of a type, or of a size, that is not read")
        made = np.frombuffer(data, of_type.type)
        return made.reshape(shape, order="F" if by_columns else "C")


def _encoded(text: str, encoding: str) -> bytes:
    if encoding != "latin1":
        raise ValueError(f"text in the encoding '{encoding}' is not read")
    return text.encode("latin1")


def _scalar(of_type: _Type, data: bytes) -> Any:
    return np.frombuffer(data, of_type.type)[0]


def _array(*of: Any) -> _Array:
    return _Array(*of)


def _from_buffer(data: bytes, of_type: _Type, shape: tuple[int, ...], order: str) -> _Array:
    made = _Array()
    made.state = (1, shape, of_type, order == "F", data)
    return made


_KNOWN: Mapping[str, Any] = {
    "_reconstruct": _array,
    "_frombuffer": _from_buffer,
    "ndarray": _Array,
    "dtype": _Type,
    "scalar": _scalar,
    "encode": _encoded,
}


class _ArraysOnly(pickle.Unpickler):
    """Reads mappings, lists, text, numbers and plain arrays; whatever else a pickle names is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] in ("numpy", "_codecs") and name in _KNOWN:
            return _KNOWN[name]
        raise ValueError(f"it names {module}.{name}, which reading it would run")
