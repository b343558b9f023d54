"""Takes the scalars of training by the clock of images and hands them to the trackers."""

from __future__ import annotations

import time
from typing import Any

from pytorch_lightning import Trainer

from ganlab.run.part import RunPart
from ganlab.spec.model import TrackingSection
from ganlab.tracking.progress import Progress
from ganlab.training.module import GANModule

_SIGN_OF_LIFE = 0.25  # seconds


class TrackingCallback(RunPart):
    """Reduces the scalars every `every_kimg`, on every rank; an ordinary step costs two comparisons.

    Shows progress on rank 0. Whoever made the trackers finishes them.
    """

    def __init__(self, section: TrackingSection, total_images: int) -> None:
        super().__init__(section.every_kimg * 1000)
        self.show_progress = section.progress
        self.total_images = total_images
        self._next_sign = 0.0

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Start the progress display."""
        if self.show_progress and trainer.is_global_zero:
            self.trackers.add(Progress(self.total_images, pl_module.clock.images_seen))

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

    def _log(self, module: GANModule) -> None:
        values = module.scalars.reduce()
        if values:
            self.trackers.scalars(module.clock.images_seen, values)
