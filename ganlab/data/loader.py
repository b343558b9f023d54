"""Batches for training: one rank's part of every step, for ever, read ahead by worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch.utils.data import DataLoader

from ganlab import distributed
from ganlab.contracts import Dataset
from ganlab.data.step_batch import StepBatch, StepPlan
from ganlab.data.stream import Stream
from ganlab.errors import DataError, SpecError, reason
from ganlab.processes import begin_loading_process

StepSize = Callable[[int], tuple[int, int]]
"""Images seen -> (images of one discriminator update over all ranks, discriminator updates of a training step)."""

Resolution = Callable[[int], int | None]
"""Images seen -> the side to which the step's images are reduced; None leaves them as they are."""

Frames = Callable[[int], int | None]
"""Images seen -> frames of the windows of sequences that the step takes; None for all of an example."""


class StepLoader:
    """An endless iterable of `StepBatch`es, given to Lightning as its training data.

    What it yields is a function of (`seed`, `position`, `images_seen`) alone, for any number of `workers`; the ranks'
    parts of a global batch are consecutive. It has no length: the clock says when a run ends. A worker that delivers
    nothing for `timeout` seconds is an error; 0 waits for ever.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        seed: int,
        step_size: StepSize,
        flip: bool = False,
        jitter: int | None = None,
        workers: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        pin_memory: bool = False,
        timeout: float = 0.0,
        position: int = 0,
        images_seen: int = 0,
        resolution: Resolution | None = None,
        frames: Frames | None = None,
    ) -> None:
        self.stream = Stream(dataset, seed, flip, jitter)
        self.step_size = step_size
        self.resolution = resolution
        self.frames = frames
        self.workers = workers
        self._rank = rank
        self._world_size = world_size
        self.pin_memory = pin_memory
        self.timeout = timeout
        self._restarts = 0
        self.restart(position, images_seen)

    @property
    def rank(self) -> int:
        """This process's place among those that share a batch; as torch.distributed says unless it was given."""
        return distributed.rank() if self._rank is None else self._rank

    @property
    def world_size(self) -> int:
        """Number of processes that share a batch."""
        return distributed.world_size() if self._world_size is None else self._world_size

    def restart(self, position: int, images_seen: int) -> None:
        """Go on from `position` with the next batch and forget what was read ahead; a live iterator follows.

        Lightning itself holds one batch ahead: drop a `StepBatch` whose `position` or `images_seen` is not the clock's.
        """
        self.position = position
        self.images_seen = images_seen
        self._restarts += 1
        self._plan(position, images_seen)  # so that a batch size that does not fit is an error now

    def __iter__(self) -> Iterator[StepBatch]:
        """Read on from where the last delivered batch ended."""
        while True:
            restarts, batches = self._restarts, self._read_ahead()
            while restarts == self._restarts:
                batch = _next(batches)
                self.position = batch.position + batch.images_shown
                self.images_seen = batch.images_seen + batch.images_shown
                yield batch

    def _read_ahead(self) -> Iterator[StepBatch | DataError]:
        plans = _Plans(self._plan, self.position, self.images_seen)
        if not self.workers:  # torch's loader has nothing to do here, for 80 microseconds a step
            return (self._read_now(plan) for plan in plans)
        loader: DataLoader[Any] = DataLoader(
            cast(Any, _Reader(self.stream)),
            batch_size=None,
            sampler=cast(Any, plans),
            num_workers=self.workers,
            collate_fn=_as_it_is,
            pin_memory=self.pin_memory,
            timeout=self.timeout,
            worker_init_fn=begin_loading_process,
            generator=torch.Generator(),  # its own, so that starting a loader leaves torch's global generator alone
        )
        return iter(loader)

    def _read_now(self, plan: StepPlan) -> StepBatch:
        batch = self.stream[plan]
        return batch.pin_memory() if self.pin_memory else batch

    def _plan(self, position: int, images_seen: int) -> StepPlan:
        batch_size, steps = self.step_size(images_seen)
        count, remainder = divmod(batch_size, self.world_size)
        if remainder or not count:
            raise SpecError(
                f"'data.batch_size' {batch_size} is the total over all processes and cannot be shared equally by "
                f"{self.world_size}; use a multiple of {self.world_size}"
            )
        resolution = None if self.resolution is None else self.resolution(images_seen)
        frames = None if self.frames is None else self.frames(images_seen)
        return StepPlan(position, images_seen, batch_size, steps, self.rank * count, count, resolution, frames)


class _Plans:
    """The plans of all steps from a position on."""

    def __init__(self, plan: Callable[[int, int], StepPlan], position: int, images_seen: int) -> None:
        self.plan = plan
        self.position = position
        self.images_seen = images_seen

    def __iter__(self) -> Iterator[StepPlan]:
        position, images_seen = self.position, self.images_seen
        while True:
            plan = self.plan(position, images_seen)
            yield plan
            position += plan.batch_size * plan.steps
            images_seen += plan.batch_size * plan.steps


class _Reader:
    """Reads steps in a worker; a `DataError` travels as a value, for torch would wrap it in a traceback."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    def __getitem__(self, plan: StepPlan) -> StepBatch | DataError:
        try:
            return self.stream[plan]
        except DataError as error:
            return error


def _next(batches: Iterator[StepBatch | DataError]) -> StepBatch:
    try:
        batch = next(batches)
    except RuntimeError as error:
        if "DataLoader timed out" in str(error):
            raise DataError(
                f"no loading process has delivered anything for {reason(error).rpartition('after ')[2]}: one of them, "
                "or the file system of the data, has stopped ('trainer.timeout_minutes'). The last checkpoint is kept"
            ) from error
        if "DataLoader worker" not in str(error):
            raise
        raise DataError(f"a data loading process died: {error}. Try fewer 'data.workers', or 0") from error
    if isinstance(batch, DataError):
        # A new error: raising the local one would make a cycle with this frame, and with it a slow end of the workers.
        raise DataError(str(batch))
    return batch


def _as_it_is(batch: Any) -> Any:
    return batch
