"""Random draws as a pure function of a key, so that neither resuming nor the number of devices changes a run."""

from __future__ import annotations

import hashlib
import math

import torch
from torch import Tensor

_CHUNK = 16  # torch fills normals in chunks of 16: whole chunks make a short draw the prefix of a longer one


def derive_seed(*key: int | str) -> int:
    """A 63-bit seed from a key; equal keys give equal seeds on every machine."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seed_networks(seed: int, device: torch.device) -> None:
    """Seed the generators that networks on `device` draw from by themselves, as dropout does.

    `torch.manual_seed` asks every kind of accelerator that torch knows, which costs more than a millisecond.
    """
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


class Randomness:
    """One slice of the global stream of random numbers of a step.

    The whole (global) batch has `total` images; this slice holds `count` of them from `start`. Every draw makes
    the numbers of the whole batch on the CPU and returns the slice's rows: a rank or a micro-batch sees exactly
    its part of what one process would have drawn.
    """

    def __init__(
        self,
        *key: int | str,
        count: int,
        start: int = 0,
        total: int | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.key = key
        self.count = count
        self.start = start
        self.total = count if total is None else total
        self.device = torch.device(device)

    def __len__(self) -> int:
        return self.count

    def scoped(self, *names: int | str) -> Randomness:
        """The same slice with a longer key: independent draws for another player, step or part."""
        return Randomness(*self.key, *names, count=self.count, start=self.start, total=self.total, device=self.device)

    def slice(self, start: int, count: int) -> Randomness:
        """The rows `start` to `start + count` of this slice."""
        return Randomness(*self.key, count=count, start=self.start + start, total=self.total, device=self.device)

    def seed(self, purpose: str) -> int:
        """A seed for other random machinery, equal for all slices of the batch."""
        return derive_seed(*self.key, purpose)

    def normal(self, purpose: str, *shape: int) -> Tensor:
        """Standard normal numbers `(count, *shape)`."""
        numbers = torch.empty(self._padded(shape), dtype=torch.float32).normal_(generator=self._generator(purpose))
        return self._rows(numbers, shape).to(torch.get_default_dtype())

    def uniform(self, purpose: str, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1) `(count, *shape)`."""
        numbers = torch.empty(self._padded(shape), dtype=torch.float32).uniform_(generator=self._generator(purpose))
        return self._rows(numbers, shape).to(torch.get_default_dtype())

    def integers(self, purpose: str, high: int, *shape: int) -> Tensor:
        """Uniform integers in [0, high) `(count, *shape)`, int64."""
        numbers = torch.randint(high, (self._padded(shape),), generator=self._generator(purpose))
        return self._rows(numbers, shape)

    def _generator(self, purpose: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed(purpose))

    def _padded(self, shape: tuple[int, ...]) -> int:
        return math.ceil(self.total * math.prod(shape) / _CHUNK) * _CHUNK

    def _rows(self, numbers: Tensor, shape: tuple[int, ...]) -> Tensor:
        row = math.prod(shape)
        part = numbers[self.start * row : (self.start + self.count) * row]
        return part.view(self.count, *shape).to(self.device, non_blocking=True)
