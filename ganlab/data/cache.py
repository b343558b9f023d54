"""A data set with its images at lower resolutions on disk, for stages of training that show small ones."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.data.examples import IMAGES, LABEL, further_names, read_examples
from ganlab.data.reduction import reduce_images
from ganlab.errors import DataError

_SMALLEST = 4
_BLOCK = 64
_THREADS = 8


class CachedDataset:
    """`dataset` with all halvings of its resolution, down to 4 pixels, in files below `folder`.

    The files take a third of the space of the uncompressed images. They are named by the data's fingerprint: other
    data, or other preparations of them, have others.
    """

    def __init__(self, dataset: Dataset, folder: str | Path) -> None:
        _check(dataset)
        self.dataset = dataset
        self.facts = dataset.facts
        self.folder = Path(folder).expanduser() / dataset.facts.fingerprint
        self._files: dict[str, NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        return self.dataset[index]

    def __getattr__(self, name: str) -> Any:
        # `take` and `inspect` exist where the data set has them.
        if name in ("take", "inspect"):
            return getattr(self.dataset, name)
        raise AttributeError(name)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": {}}  # each process maps the files itself

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def resolutions(self) -> list[int]:
        """Resolutions that are kept, the largest first."""
        resolution, kept = self.facts.shape[1], []
        while resolution % 2 == 0 and resolution // 2 >= _SMALLEST:
            resolution //= 2
            kept.append(resolution)
        return kept

    def take_reduced(self, indices: Sequence[int], resolution: int) -> dict[str, Tensor]:
        """Examples with images of a lower resolution, from the files where they have it."""
        if resolution not in self.resolutions:
            examples = read_examples(self.dataset, indices)
            return examples | {IMAGES: reduce_images(examples[IMAGES], resolution)}
        names = [str(resolution), LABEL] if self.facts.classes else [str(resolution)]
        rows = [torch.from_numpy(self._file(name)[np.asarray(indices)]) for name in names]
        return dict(zip([IMAGES, LABEL], rows, strict=False))

    def prepare(self) -> None:
        """Write the files that are missing, each whole or not at all; called once on each machine."""
        shapes: dict[str, tuple[int, ...]] = {str(r): (self.facts.shape[0], r, r) for r in self.resolutions}
        shapes |= {LABEL: ()} if self.facts.classes else {}
        if all(self._path(name).exists() for name in shapes):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        stored = read_examples(self.dataset, [0])
        kinds = {name: (stored[LABEL if name == LABEL else IMAGES].numpy().dtype, shapes[name]) for name in shapes}
        with tempfile.TemporaryDirectory(dir=self.folder) as temporary:
            files = {
                name: np.lib.format.open_memmap(Path(temporary, name), "w+", kind, (len(self), *shape))
                for name, (kind, shape) in kinds.items()
            }
            self._fill(files)
            for name, array in files.items():
                array.flush()
                os.replace(Path(temporary, name), self._path(name))

    def _fill(self, files: Mapping[str, NDArray[Any]]) -> None:
        def write(start: int) -> None:
            rows = range(start, min(start + _BLOCK, len(self)))
            examples = read_examples(self.dataset, rows)
            for name, array in files.items():
                part = examples[LABEL] if name == LABEL else reduce_images(examples[IMAGES], int(name))
                array[start : rows.stop] = part.numpy()

        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(write, range(0, len(self), _BLOCK)))

    def _file(self, name: str) -> NDArray[Any]:
        if name not in self._files:
            self._files[name] = np.load(self._path(name), mmap_mode="r", allow_pickle=False)
        return self._files[name]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.npy"


def _check(dataset: Dataset) -> None:
    if dataset.facts.resolution is None:
        raise DataError("'data.cache' keeps square images at lower resolutions, but these data are others; remove it")
    if names := further_names(dataset):
        raise DataError(f"'data.cache' cannot keep what belongs to the images ({', '.join(names)}); remove it")
