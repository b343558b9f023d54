"""Goes back to an earlier checkpoint when the guard asks for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from pytorch_lightning import Trainer

from ganlab.data.loader import StepLoader
from ganlab.errors import RunError
from ganlab.run.checkpoint_files import newest_until, remove_later, take_checkpoint, take_newest
from ganlab.run.folder import Run
from ganlab.run.part import RunPart
from ganlab.training.checkpoint import export_generator, restore_module
from ganlab.training.guard import NonFiniteGradient
from ganlab.training.module import GANModule


class RollbackCallback(RunPart):
    """Stands before the other callbacks, so that nothing is logged, saved or shown of a step that is taken back.

    Args:
        loader: goes on where it is, so that the same trap is not met again.
        parts: the callbacks that have to know of it.
        total_images: where the training ends.
    """

    def __init__(self, loader: StepLoader, parts: Sequence[RunPart], total_images: float = math.inf) -> None:
        super().__init__()
        self.total_images = total_images
        self.loader = loader
        self.parts = parts

    def on_train_batch_start(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, batch: Any, batch_idx: int
    ) -> None:
        """Let the guard name the examples of the step that are not finite."""
        pl_module.settings.guard.unsound = batch.unsound

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Go back if the guard asks for it; it is asked before any of the others has something to do."""
        guard = pl_module.settings.guard
        ends = pl_module.interrupted or pl_module.clock.images_seen >= self.total_images
        if ends or any(part.is_due(pl_module) for part in self.parts):
            try:
                guard.settle()
            except NonFiniteGradient as problem:
                guard.request_rollback(str(problem))
        for images_seen, reason in guard.take_skips():
            self.trackers.event(images_seen, "skipped update", reason)
        if guard.rollback_requested:
            self.roll_back(trainer, pl_module, guard.rollback_requested, batch.position + batch.images_shown)

    def roll_back(
        self, trainer: Trainer, module: GANModule, reason: str, next_position: int, sound_until: int | None = None
    ) -> None:
        """Restore the last checkpoint, or the last of at most `sound_until` images, and let the stream go on.

        Those after it are removed. Every rank calls it. Raises `RunError` if there is none.
        """
        guard = module.settings.guard
        rollbacks = guard.rollbacks
        trainer.strategy.barrier()  # the last checkpoint may still be on its way to the disk
        self._restore(module, reason, sound_until)
        guard.rollbacks, guard.rollback_requested = rollbacks, ""
        trainer.strategy.barrier()  # all have read it
        if sound_until is not None and trainer.is_global_zero:
            self._forget_later(module, sound_until)
        clock = module.clock
        clock.position = next_position
        clock.stand_still()
        self.loader.restart(next_position, clock.images_seen)
        for part in self.parts:
            part.rewind(clock.images_seen)
        self.trackers.rewind(clock.images_seen)
        back = f"{reason}; rolled back to {clock.images_seen} images ({rollbacks} of {guard.limit})"
        self.trackers.event(clock.images_seen, "rollback", back)
        if trainer.is_global_zero:
            print(f"ganlab: {back}")

    def _restore(self, module: GANModule, reason: str, sound_until: int | None) -> None:
        folder, take = Run(self.folder).checkpoints, partial(restore_module, module)
        if sound_until is None:
            path = take_newest(folder, take, module.device)
        elif path := newest_until(folder, sound_until):
            take_checkpoint(path, take, module.device)
        if path is None:
            raise RunError(f"{reason}; and there is no checkpoint in {self.folder} to go back to")

    def _forget_later(self, module: GANModule, sound_until: int) -> None:
        """Let nobody take up what was taken back."""
        run = Run(self.folder)
        kept = newest_until(run.checkpoints, sound_until)
        assert kept is not None
        export_generator(run.generator, module)
        remove_later(run.checkpoints, kept)
