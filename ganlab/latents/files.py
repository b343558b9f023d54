"""Points as files: arrays by name in a `.npz`, which is read without running any code of it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganlab.errors import UserError, reason
from ganlab.files import write_atomically

NAMES = {"z": "latents", "w": "styles"}
"""The array that holds the points of a space."""


def save_points(
    path: Path, space: str, values: Tensor, labels: Tensor | None = None, **more: Tensor | np.ndarray[Any, Any]
) -> None:
    """Write points as `latents` (N, ...) of z or `styles` (N, layers, size) of w, with `labels` and further arrays.

    Equal points give equal bytes.
    """
    arrays = {NAMES[space]: values, **({} if labels is None else {"labels": labels}), **more}
    write_arrays(path, {name: _array(value) for name, value in arrays.items()})


def load_points(path: str | Path, device: torch.device | str = "cpu") -> dict[str, Tensor]:
    """The arrays of a file of points; floats in torch's default type. Raises `UserError` if it is none."""
    arrays = read_arrays(path)
    if not set(NAMES.values()) & set(arrays):
        raise UserError(f"{path} holds no points: it has {', '.join(arrays) or 'nothing'}, not 'latents' or 'styles'")
    return {name: as_tensor(array, device) for name, array in arrays.items()}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write a `.npz`."""

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]

    write_atomically(path, write)


def read_arrays(path: str | Path) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a `.npz`. Raises `UserError` if it is none, or holds anything but numbers and text."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} cannot be read as arrays (.npz): {reason(error)}") from error


def as_tensor(array: np.ndarray[Any, Any], device: torch.device | str) -> Tensor:
    """Whole numbers as int64, others in torch's default type."""
    kind = torch.int64 if np.issubdtype(array.dtype, np.integer) else torch.get_default_dtype()
    return torch.as_tensor(array).to(device, kind)


def _array(value: Tensor | np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
