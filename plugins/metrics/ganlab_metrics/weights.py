"""Weights of known networks that are on this machine: where they are looked for, and how they are read."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganlab.errors import DataMissing, UserError, reason

WEIGHTS_FOLDER = "GANLAB_WEIGHTS"
"""The environment variable that names a folder of weights."""


@dataclass(frozen=True)
class KnownWeights:
    """A published file of weights: what it is called, where it is from, and the network that it belongs to."""

    network: str
    file: str
    url: str

    def find(self, path: str | None = None) -> Path:
        """The file at `path`, in the folder that `GANLAB_WEIGHTS` names, or where torch keeps its downloads.

        Raises `UserError` with what to fetch and where to put it.
        """
        if path is not None:
            return _existing(path, self.network)
        folders = [Path(folder) for folder in (os.environ.get(WEIGHTS_FOLDER),) if folder]
        folders.append(Path(torch.hub.get_dir(), "checkpoints"))
        for folder in folders:
            if (folder / self.file).is_file():
                return folder / self.file
        raise DataMissing(
            f"the weights of {self.network} are not on this machine. Fetch {self.url} and put it into {folders[-1]} "
            f"as {self.file}, or into a folder that the environment variable {WEIGHTS_FOLDER} names; or give its path "
            "as 'weights'. Extractors that need no download: efficientnet_lite0, classifier, pca, random_network and "
            "pixels"
        )


def _existing(path: str, network: str) -> Path:
    found = Path(path).expanduser()
    if not found.is_file():
        raise UserError(f"'weights: {path}' is no file; it should hold the weights of {network}")
    return found


@functools.lru_cache(maxsize=32)
def _hash(path: Path, size: int, changed: int) -> str:
    del size, changed  # of another file under the same name
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def hash_of(path: Path) -> str:
    """The first 16 digits of the SHA-256 of a file, read once as long as it does not change."""
    known = path.stat()
    return _hash(path, known.st_size, known.st_mtime_ns)


def read_weights(path: Path, network: str) -> dict[str, Tensor]:
    """The tensors of a `.pth` or `.safetensors` file by name; nothing in it is run. Raises `UserError`."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged files raise errors of many kinds
        raise UserError(f"{path} does not hold the weights of {network}: {reason(error)}") from error
    if not isinstance(content, Mapping):
        raise UserError(f"{path} does not hold the weights of {network}, but a {type(content).__name__}")
    return dict(content)


def fit(network: torch.nn.Module, weights: Mapping[str, Tensor], path: Path, name: str) -> None:
    """Load weights into a network. Raises `UserError` if they are another's."""
    try:
        network.load_state_dict(dict(weights))
    except RuntimeError as error:
        lines = str(error).strip().splitlines()
        raise UserError(f"{path} does not hold the weights of {name}: {lines[-1].strip()}") from error
