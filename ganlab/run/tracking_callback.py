"""Takes the scalars of training by the clock of images and hands them to the trackers."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.run.part import RunPart
from ganlab.spec.model import TrackingSection
from ganlab.tracking.progress import Progress
from ganlab.training.module import GANModule

Gauge = Callable[[GANModule, Mapping[str, float]], Mapping[str, float]]

_SIGN_OF_LIFE = 0.25  # seconds


class TrackingCallback(RunPart):
    """Reduces the scalars every `every_kimg`, on every rank; an ordinary step costs two comparisons.

    Shows progress on rank 0. Whoever made the trackers finishes them. `gauge` is given the means of each line, on every
    rank, and adds what it measures then.
    """

    def __init__(self, section: TrackingSection, total_images: int, gauge: Gauge | None = None) -> None:
        super().__init__(section.every_kimg * 1000)
        self.gauge = gauge
        self.show_progress = section.progress
        self.total_images = total_images
        self._next_sign = 0.0
        self._mark = (0.0, 0)  # seconds of training and images seen at the last line

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Start the progress display."""
        self._mark = (self._seconds(), pl_module.clock.images_seen)
        if self.show_progress and trainer.is_global_zero:
            self.trackers.add(
                Progress(
                    self.total_images,
                    pl_module.clock.images_seen,
                    stage=lambda images: (
                        pl_module.step_size(images),
                        pl_module.step_resolution(images),
                        pl_module.step_frames(images),
                    ),
                )
            )

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log if it is time to."""
        clock = pl_module.clock
        if clock.passed(self.every_images):
            self._log(pl_module)
        now = time.monotonic()
        if now >= self._next_sign:
            self._next_sign = now + _SIGN_OF_LIFE
            self.trackers.advance(clock.images_seen)

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Log what came after the last line."""
        self._log(pl_module)
        self.trackers.advance(pl_module.clock.images_seen)

    def rewind(self, images_seen: int) -> None:
        """Take the speed from the earlier moment on."""
        super().rewind(images_seen)
        self._mark = (self._seconds(), images_seen)

    def _log(self, module: GANModule) -> None:
        values = module.scalars.reduce()
        if values:
            moment = self._seconds(), module.clock.images_seen
            elapsed, images = moment[0] - self._mark[0], moment[1] - self._mark[1]
            self._mark = moment
            of_now = {
                "images_per_second": round(images / max(elapsed, 1e-6), 1),
                "memory_mib": memory_in_use(module.device),
            }
            values = {**values, **(self.gauge(module, values) if self.gauge else {})}
            self.trackers.scalars(moment[1], {**of_now, **module.scalars_now(), **values})

    def _seconds(self) -> float:
        """Seconds of training: of the wall clock's, without pauses."""
        return time.monotonic() - self.trackers.paused


def memory_in_use(device: torch.device) -> float:
    """MiB: the most that was allocated on an accelerator since the start, or what this process has in main memory."""
    if device.type == "cuda":
        return round(torch.cuda.max_memory_allocated(device) / 2**20, 1)
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except (OSError, ValueError, IndexError):  # not Linux: the most that there was so far
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20, 1)
