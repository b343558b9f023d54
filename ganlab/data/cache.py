"""A data set with its images on disk as they are shown, and smaller ones for stages of training that show these."""

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
from ganlab.data.examination import examine
from ganlab.data.examples import IMAGES, LABEL, read_examples, reduce_examples, undeclared_names
from ganlab.data.readiness import unreadable_sentence
from ganlab.data.reduction import reduced_shape
from ganlab.errors import DataError

_SMALLEST = 4
_BLOCK = 64
_THREADS = 8
_NAMED = 10


class CachedDataset:
    """`dataset` with its images, and these halved again and again down to 4 pixels, in files below `folder`.

    Nothing is decoded twice: the files hold what the data set delivers, uncompressed, and a third more for halvings.
    They are named by the data's fingerprint: other data, or other preparations of them, have others. Inputs are kept
    beside the images that they belong to. Until `prepare` has made the files, examples come from the data set itself.
    """

    def __init__(self, dataset: Dataset, folder: str | Path) -> None:
        if dataset.facts.side is None:
            raise DataError("'data.cache' keeps images, but the examples of these data are vectors; remove it")
        if hasattr(dataset, "take_windows"):
            raise DataError(
                "'data.cache' would keep one window of each sequence, but these sequences are longer; remove it"
            )
        self.dataset = dataset
        self.facts = dataset.facts
        self.folder = Path(folder).expanduser() / dataset.facts.fingerprint
        self._files: dict[str, NDArray[Any]] = {}
        self._is_whole = False

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        if not self._whole():
            return self.dataset[index]
        return {name: value[0] for name, value in self._rows([index], self.resolutions[0]).items()}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once, from the files where they have been made."""
        if not self._whole():
            return read_examples(self.dataset, indices)
        return self._rows(indices, self.resolutions[0])

    def __getattr__(self, name: str) -> Any:
        # These exist where the data set has them.
        if name in ("inspect", "every_label", "is_transparent"):
            return getattr(self.dataset, name)
        raise AttributeError(name)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_files": {}}  # each process maps the files itself

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    @property
    def resolutions(self) -> list[int]:
        """Resolutions that are kept, the largest first: that of the data, and its halvings."""
        height, width = self.facts.shape[-2:]
        kept = [max(height, width)]
        while height % 2 == width % 2 == 0 and max(height, width) // 2 >= _SMALLEST:
            height, width = height // 2, width // 2
            kept.append(max(height, width))
        return kept

    def take_reduced(self, indices: Sequence[int], resolution: int) -> dict[str, Tensor]:
        """Examples with images of a lower resolution, from the files where they have it."""
        if resolution not in self.resolutions or not self._whole():
            return reduce_examples(self.take(indices), self.facts, resolution)
        return self._rows(indices, resolution)

    def _rows(self, indices: Sequence[int], resolution: int) -> dict[str, Tensor]:
        rows = np.asarray(indices)
        return {name: torch.from_numpy(self._file(name, resolution)[rows]) for name in self._shapes(resolution)}

    def _whole(self) -> bool:
        """Whether all files are there; once they are, they stay."""
        self._is_whole = self._is_whole or all((self.folder / file).exists() for file in self._kept())
        return self._is_whole

    def prepare(self) -> None:
        """Write the files that are missing, each whole or not at all; called once on each machine."""
        if callable(prepare := getattr(self.dataset, "prepare", None)):
            prepare()
        stored = read_examples(self.dataset, [0])
        if names := undeclared_names(stored, self.facts):
            raise DataError(
                f"'data.cache' cannot keep what belongs to the images ({', '.join(names)}), of which the data set's "
                "'facts.inputs' do not tell: declare it there, or remove the cache"
            )
        if self._whole():
            return
        kept = self._kept()
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder) as temporary:
            arrays = {}
            for file, (name, resolution) in kept.items():
                shape, kind = (len(self), *self._shapes(resolution)[name]), stored[name].numpy().dtype
                arrays[file] = np.lib.format.open_memmap(Path(temporary, file), "w+", kind, shape)
            self._fill(arrays)
            for file, array in arrays.items():
                array.flush()
                os.replace(Path(temporary, file), self.folder / file)

    def _kept(self) -> dict[str, tuple[str, int]]:
        """What each file holds: the name of a field and the resolution of the images beside it."""
        return {
            self._file_name(name, resolution): (name, resolution)
            for resolution in self.resolutions
            for name in self._shapes(resolution)
        }

    def _shapes(self, resolution: int) -> dict[str, tuple[int, ...]]:
        """What an example has at a lower resolution."""
        factor = max(self.facts.shape[-2:]) // resolution
        shapes = {IMAGES: (*self.facts.shape[:-2], *(side // factor for side in self.facts.shape[-2:]))}
        shapes |= {name: reduced_shape(name, self.facts, factor) for name in self.facts.inputs}
        return shapes | ({LABEL: ()} if self.facts.classes else {})

    def _fill(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Read all examples once. Raises `DataError` that names those that cannot be read."""
        kept = self._kept()

        def write(start: int) -> list[str]:
            rows = range(start, min(start + _BLOCK, len(self)))
            try:
                examples = read_examples(self.dataset, rows)
            except DataError:
                return list(examine(self.dataset, rows).unreadable.values())
            reduced = {side: reduce_examples(examples, self.facts, side) for side in self.resolutions}
            for file, (name, resolution) in kept.items():
                arrays[file][start : rows.stop] = reduced[resolution][name].numpy()
            return []

        with ThreadPoolExecutor(_THREADS) as threads:
            reasons = [reason for part in threads.map(write, range(0, len(self), _BLOCK)) for reason in part]
        if reasons:
            raise DataError(unreadable_sentence(reasons, len(self), _NAMED))

    def _file(self, name: str, resolution: int) -> NDArray[Any]:
        file = self._file_name(name, resolution)
        if file not in self._files:
            self._files[file] = np.load(self.folder / file, mmap_mode="r", allow_pickle=False)
        return self._files[file]

    def _file_name(self, name: str, resolution: int) -> str:
        """Labels and numbers are the same at all resolutions and have one file."""
        if name == IMAGES:
            return f"{resolution}.npy"
        of_input = self.facts.inputs.get(name)
        alike = of_input is None or of_input.kind == "numbers"
        return f"{name}.npy" if alike else f"{name}-{resolution}.npy"
