"""Random draws as a pure function of a key and a row, so that neither resuming nor the number of devices changes a run.

The numbers come from a counter: number i of a draw is the 64-bit finaliser of SplitMix64 (Steele et al., 2014) of the
draw's seed plus i times an odd constant. So every row can be drawn alone, where it is needed, and integers are equal on
every kind of device.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

_INCREMENT = 0x9E3779B97F4A7C15 - 2**64
_MULTIPLIERS = (0xBF58476D1CE4E5B9 - 2**64, 0x94D049BB133111EB - 2**64)
_IN_CACHE = 2**17  # numbers

Rows = slice
"""Some rows of a batch, by this name because `Randomness` has a method of the other."""


def derive_seed(*key: int | str) -> int:
    """A 63-bit seed from a key; equal keys give equal seeds on every machine."""
    digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1


def seed_networks(seed: int, device: torch.device) -> None:
    """Seed the generators that networks on `device` draw from by themselves, as torch's dropout does.

    `torch.manual_seed` asks every kind of accelerator that torch knows, which costs more than a millisecond.
    """
    torch.default_generator.manual_seed(seed)
    if device.type not in ("cpu", "meta"):
        torch.get_device_module(device).manual_seed(seed)


def of_samples(seed: int, count: int, device: torch.device | str, start: int = 0) -> Randomness:
    """The random numbers of `count` samples of a seed, from sample `start` on."""
    return Randomness(seed, "samples", count=count, start=start, device=device)


class Randomness:
    """The random numbers of consecutive rows of a global batch.

    The whole (global) batch has `total` images; this slice holds `count` of them from `start`, each `step`-th. Row i of
    a draw is a function of the key, the purpose and the place of the row in the global batch, `start` + i * `step`: a
    rank or a micro-batch draws exactly its part of what one process would have drawn.
    """

    def __init__(
        self,
        *key: int | str,
        count: int,
        start: int = 0,
        total: int | None = None,
        device: torch.device | str = "cpu",
        step: int = 1,
    ) -> None:
        self.key = key
        self.count = count
        self.start = start
        self.step = step
        self.total = start + count if total is None else total
        self.device = device if isinstance(device, torch.device) else torch.device(device)

    def __len__(self) -> int:
        return self.count

    def scoped(self, *names: int | str) -> Randomness:
        """The same rows with a longer key: independent draws for another player, step or part."""
        return self._with(*names, count=self.count, start=self.start, step=self.step)

    def slice(self, start: int, count: int) -> Randomness:
        """The rows `start` to `start + count` of this slice."""
        return self._with(count=count, start=self.start + start * self.step, step=self.step)

    def take(self, rows: Rows) -> Randomness:
        """Some of the rows of this slice, as indexing a tensor with `rows` takes them."""
        places = range(self.start, self.start + self.count * self.step, self.step)[rows]
        assert places.step > 0, f"rows are taken forwards, not as {rows}"
        return self._with(count=len(places), start=places.start, step=places.step)

    def whole(self) -> Randomness:
        """All rows of the global batch, for what every rank must do alike."""
        return Randomness(*self.key, count=self.total, total=self.total, device=self.device)

    def seed(self, purpose: str) -> int:
        """A seed for other random machinery, equal for all slices of the batch."""
        return derive_seed(*self.key, purpose)

    def normal(self, purpose: str, *shape: int) -> Tensor:
        """Standard normal numbers `(count, *shape)`."""
        size = math.prod(shape)
        if parts := self._parts(size):
            return torch.cat([part.normal(purpose, *shape) for part in parts])
        bits = self._bits(purpose, -(-size // 2))
        # Box and Muller: a radius from the upper half of the bits, above 0 as its logarithm is taken, and an angle.
        upper = bits.bitwise_right_shift(32).add_(2**31 + 1)
        radius = upper.to(torch.float32).mul_(2.0**-32).log_().mul_(-2).sqrt_()
        angle = bits.to(torch.int32).to(torch.float32).mul_(2 * math.pi * 2.0**-32)
        numbers = torch.view_as_real(torch.polar(radius, angle)).flatten(1)
        return numbers[:, :size].reshape(self.count, *shape).to(torch.get_default_dtype())

    def uniform(self, purpose: str, *shape: int) -> Tensor:
        """Uniform numbers in [0, 1) `(count, *shape)`, multiples of 2^-24."""
        if parts := self._parts(math.prod(shape)):
            return torch.cat([part.uniform(purpose, *shape) for part in parts])
        bits = self._bits(purpose, math.prod(shape))
        numbers = (bits.bitwise_right_shift_(40).bitwise_and_(0xFFFFFF)).to(torch.float32).mul_(2.0**-24)
        return numbers.view(self.count, *shape).to(torch.get_default_dtype())

    def integers(self, purpose: str, high: int, *shape: int) -> Tensor:
        """Uniform integers in [0, high) `(count, *shape)`, int64."""
        bits = self._bits(purpose, math.prod(shape))
        return bits.bitwise_and_(2**63 - 1).remainder_(high).view(self.count, *shape)

    def _with(self, *names: int | str, **rows: int) -> Randomness:
        return Randomness(*self.key, *names, total=self.total, device=self.device, **rows)

    def _parts(self, columns: int) -> list[Randomness]:
        """The rows in parts that fit into a processor's cache, where drawing all at once would take far longer."""
        rows = max(1, _IN_CACHE // max(columns, 1))
        if self.device.type != "cpu" or self.count <= rows:
            return []
        return [self.slice(first, min(rows, self.count - first)) for first in range(0, self.count, rows)]

    def _bits(self, purpose: str, columns: int) -> Tensor:
        """64 random bits as an int64 for each of the slice's rows and `columns`."""
        first, last = self.start * columns, (self.start + self.count * self.step) * columns
        state = torch.arange(first, last, device=self.device)
        if self.step > 1:
            state = state.view(self.count, self.step, columns)[:, 0].flatten()
        state = state.mul_(_INCREMENT).add_(self.seed(purpose))
        for shift, multiplier in zip((30, 27), _MULTIPLIERS, strict=True):
            state = _shifted_xor(state, shift).mul_(multiplier)  # int64 wraps around
        return _shifted_xor(state, 31).view(self.count, columns)


def _shifted_xor(state: Tensor, shift: int) -> Tensor:
    """The bits and, by exclusive or, the bits moved right; zeros come in at the left, whatever the sign."""
    moved = state.bitwise_right_shift(shift).bitwise_and_(2 ** (64 - shift) - 1)
    return moved.bitwise_xor_(state)


class _Draws(Protocol):
    """What layers get their numbers from; `kind` is `normal` or `uniform`."""

    def draw(self, kind: str, like: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor: ...


class _LayerDraws:
    """The randomness that layers of a pass draw from; each draw of a purpose gets a number of its own."""

    def __init__(self, random: Randomness) -> None:
        self.random = random
        self._drawn: Counter[str] = Counter()

    def next(self, purpose: str) -> Randomness:
        self._drawn[purpose] += 1
        return self.random.scoped("layer", self._drawn[purpose])

    def draw(self, kind: str, like: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor:
        parts = _parts_of_pass(self.next(purpose), like)
        return torch.cat([getattr(part, kind)(purpose, *shape) for part in parts])


class _SharedDraws(_LayerDraws):
    """One row of numbers for all examples of a pass."""

    def draw(self, kind: str, like: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor:
        first = self.next(purpose)
        row = Randomness(*first.key, count=1, start=first.start, device=like.device)
        numbers: Tensor = getattr(row, kind)(purpose, *shape)
        return numbers.expand(like.shape[0], *shape)


class _NotedDraws(_SharedDraws):
    """The same, kept in a list."""

    def __init__(self, random: Randomness) -> None:
        super().__init__(random)
        self.maps: list[Tensor] = []

    def draw(self, kind: str, like: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor:
        numbers = super().draw(kind, like, shape, purpose)
        self.maps.append(numbers[:1].to(like))
        return numbers


class _GivenDraws:
    """Numbers that somebody else has, in the order in which layers ask for them."""

    def __init__(self, maps: Sequence[Tensor]) -> None:
        self._left = iter(maps)

    def draw(self, kind: str, like: Tensor, shape: tuple[int, ...], purpose: str) -> Tensor:
        numbers = next(self._left)
        return numbers.expand(like.shape[0], *shape)


_passes: list[_Draws] = []
_chosen: list[slice] = []


@contextlib.contextmanager
def layer_draws(random: Randomness) -> Iterator[None]:
    """Let the layers of the networks that run inside draw their noise row by row from `random` (see `layer_normal`).

    The platform does this around every update and every sampling; a game does it around each pass, so that a pass draws
    the same numbers whatever ran before it.
    """
    with _drawing_from(_LayerDraws(random.take(_chosen[-1]) if _chosen else random)):
        yield


@contextlib.contextmanager
def shared_layer_draws(random: Randomness) -> Iterator[None]:
    """Let the layers inside draw the noise of the first row of `random` for every example.

    So that images differ by their latents alone.
    """
    with _drawing_from(_SharedDraws(random)):
        yield


@contextlib.contextmanager
def noted_layer_draws(random: Randomness) -> Iterator[list[Tensor]]:
    """As `shared_layer_draws`; the list has the numbers (1, *shape) of each draw for `given_layer_draws`."""
    draws = _NotedDraws(random)
    with _drawing_from(draws):
        yield draws.maps


@contextlib.contextmanager
def given_layer_draws(maps: Sequence[Tensor]) -> Iterator[None]:
    """Let the layers inside use these numbers, (1, *shape) or (N, *shape) in the order in which they draw."""
    with _drawing_from(_GivenDraws(maps)):
        yield


@contextlib.contextmanager
def _drawing_from(draws: _Draws) -> Iterator[None]:
    _passes.append(draws)
    try:
        yield
    finally:
        _passes.pop()


@contextlib.contextmanager
def chosen_rows(rows: slice) -> Iterator[None]:
    """Let the passes inside draw the noise of these rows of the batch: for a penalty on some of its examples."""
    _chosen.append(rows)
    try:
        yield
    finally:
        _chosen.pop()


def layer_normal(like: Tensor, *shape: int, purpose: str = "noise") -> Tensor:
    """Standard normal noise (N, *shape) for the N examples of a layer's input, on its device and in its type.

    Row i depends on the update, on the example's place in the global batch and on how often this pass has drawn
    before, so that devices, micro-batches and the batch size of samples change nothing. In a pass over several batches
    one after the other (N a multiple of their rows) each has numbers of its own. Where nobody said what to draw from,
    torch's generator is used.
    """
    if not _passes:
        return torch.randn(len(like), *shape, device=like.device, dtype=like.dtype)
    return _passes[-1].draw("normal", like, shape, purpose).to(like)


def layer_uniform(like: Tensor, *shape: int, purpose: str = "mask") -> Tensor:
    """Uniform numbers in [0, 1) for the examples of a layer's input, as `layer_normal`."""
    if not _passes:
        return torch.rand(len(like), *shape, device=like.device, dtype=like.dtype)
    return _passes[-1].draw("uniform", like, shape, purpose).to(like)


def _parts_of_pass(draws: Randomness, like: Tensor) -> list[Randomness]:
    times, rest = divmod(len(like), len(draws))
    if rest:
        # Rows that nobody has named (see `chosen_rows`): numbers of their own, still a function of the key.
        return [Randomness(*draws.key, "part", draws.start, count=len(like), device=like.device)]
    parts = [draws.scoped(part) for part in range(times)] if times > 1 else [draws]
    return [
        Randomness(*part.key, count=part.count, start=part.start, device=like.device, step=part.step) for part in parts
    ]
