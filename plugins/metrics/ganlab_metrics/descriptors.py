"""Random patches of many images, with what it takes to normalise them, in bounded memory."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

PATCH = 7  # pixels


class DescriptorSet:
    """Patches of one pyramid level as float32 descriptors on the CPU, and their mean and deviation per channel."""

    def __init__(self, channels: int, *seed: int) -> None:
        self.channels = channels
        self._random = np.random.default_rng(seed)
        self._parts: list[Tensor] = []
        self._sum = torch.zeros(channels, dtype=torch.float64)
        self._squares = torch.zeros(channels, dtype=torch.float64)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def add(self, level: Tensor, patches: int) -> None:
        """Take `patches` random patches of each image (N, C, H, W), all of them within the image."""
        taken = self._cut(level, patches).flatten(0, 1).float().cpu()
        self._parts.append(taken.flatten(1))
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
        rows = torch.cat([scaled @ part.T for part in self._parts], dim=1)
        sorted_rows = rows.sub_(offsets.float()[:, None]).numpy()
        sorted_rows.sort(axis=1)  # numpy's sort of rows is an order of magnitude faster than torch's on a CPU
        return sorted_rows

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
