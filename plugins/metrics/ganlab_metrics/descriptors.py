"""Random patches of many images, with what it takes to normalise them, in bounded memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from typing import IO

import numpy as np
import torch
from torch import Tensor

PATCH = 7  # pixels
_ROWS = 2**16  # of a file at a time


class Room:
    """Memory that several sets take together, in bytes; what does not fit into it goes to files."""

    def __init__(self, free: int) -> None:
        self.free = free

    def take(self, size: int) -> bool:
        """Whether there is room for so many bytes, which are taken."""
        fits = size <= self.free
        self.free -= size if fits else 0
        return fits


class DescriptorSet:
    """Patches of one pyramid level as float32 descriptors on the CPU, and their mean and deviation per channel.

    Those for which there is no `room` are in a temporary file without a name, which goes with the set.
    """

    def __init__(self, channels: int, room: Room, *seed: int) -> None:
        self.channels = channels
        self.room = room
        self._random = np.random.default_rng(seed)
        self._parts: list[Tensor] = []
        self._file: IO[bytes] | None = None
        self._rows_in_file = 0
        self._sum = torch.zeros(channels, dtype=torch.float64)
        self._squares = torch.zeros(channels, dtype=torch.float64)

    def __len__(self) -> int:
        return sum(map(len, self._parts)) + self._rows_in_file

    def add(self, level: Tensor, patches: int) -> None:
        """Take `patches` random patches of each image (N, C, H, W), all of them within the image."""
        taken = self._cut(level, patches).flatten(0, 1).float().cpu()
        self._keep(taken.flatten(1))
        exact = taken.double()
        self._sum += exact.sum((0, 2, 3))
        self._squares += exact.square().sum((0, 2, 3))

    def project(self, directions: Tensor) -> np.ndarray:
        """Sorted projections (directions, descriptors) of the descriptors after normalisation of each channel.

        `directions` are unit vectors (M, C * 49). Normalising is folded into them, so that no second copy of the
        descriptors is made. A channel without any variation is only centred.
        """
        mean, deviation = self._moments()
        scaled = directions.double().view(len(directions), self.channels, -1) / deviation[:, None]
        offsets = (scaled * mean[:, None]).sum((1, 2))
        scaled = scaled.flatten(1).float()
        rows = torch.empty(len(directions), len(self))
        start = 0
        for part in self._all_parts():
            torch.sub(scaled @ part.T, offsets.float()[:, None], out=rows[:, start : start + len(part)])
            start += len(part)
        sorted_rows = rows.numpy()
        sorted_rows.sort(axis=1)  # numpy's sort of rows is an order of magnitude faster than torch's on a CPU
        return sorted_rows

    def _keep(self, descriptors: Tensor) -> None:
        if self.room.take(descriptors.numel() * descriptors.itemsize):
            self._parts.append(descriptors)
            return
        self._file = self._file or tempfile.TemporaryFile(prefix="ganlab-swd-")  # noqa: SIM115
        self._file.write(memoryview(descriptors.contiguous().numpy()).cast("B"))
        self._rows_in_file += len(descriptors)

    def _all_parts(self) -> Iterator[Tensor]:
        yield from self._parts
        if self._file is not None:
            self._file.flush()
            shape = (self._rows_in_file, self.channels * PATCH * PATCH)
            # Copied on writing, as torch wants arrays that can be written; nothing is.
            yield from torch.from_numpy(np.memmap(self._file, np.float32, "c", shape=shape)).split(_ROWS)

    def _cut(self, level: Tensor, patches: int) -> Tensor:
        """(N, patches, C, 7, 7)."""
        windows = level.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
        places = self._random.random((len(level), patches, 2)) * windows.shape[2:4]
        rows, columns = torch.from_numpy(places.astype(np.int64)).to(level.device).unbind(2)
        images = torch.arange(len(level), device=level.device)[:, None]
        return windows[images, :, rows, columns]

    def _moments(self) -> tuple[Tensor, Tensor]:
        values = len(self) * PATCH * PATCH
        mean = self._sum / values
        variance = (self._squares / values - mean.square()).clamp(min=0)
        return mean, torch.where(variance > 0, variance.sqrt(), 1.0)
