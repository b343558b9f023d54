"""When checkpoints are written and kept."""

from __future__ import annotations

import logging
import time
from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.distributed import broadcast_value, world_size
from ganlab.errors import RunError, TrainingStopped, reason
from ganlab.run.checkpoint_files import name_as_last, remove_old
from ganlab.run.folder import Run
from ganlab.run.part import RunPart
from ganlab.training.checkpoint import export_generator, module_state, save_checkpoint
from ganlab.training.guard import NonFiniteGradient
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)

_ROUNDS_BETWEEN_LOOKS = 16


class CheckpointCallback(RunPart):
    """Writes checkpoints by the clock of images (and by minutes if wanted) and keeps the newest.

    A checkpoint at the start makes sure that there is always one to go back to. Rank 0 writes; the state is equal
    on all ranks. With `keep_sound`, the newest from before there was a sign of a collapse stays as well.
    """

    def __init__(self, every_kimg: float, keep: int, every_minutes: float | None, keep_sound: bool = False) -> None:
        super().__init__(every_kimg * 1000)
        self.keep = keep
        self.keep_sound = keep_sound
        self.every_seconds = None if every_minutes is None else every_minutes * 60
        self._saved_when = time.monotonic()
        self._warned = False

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Write the first checkpoint; a resumed run has the one it goes on from."""
        if Run(self.folder).last_checkpoint.exists() and pl_module.clock.images_seen:
            self._done_at = pl_module.clock.images_seen
            if trainer.is_global_zero:
                self._tidy_up(pl_module)
        self._save_once(trainer, pl_module, pl_module.clock.label())

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Write a checkpoint if one is due."""
        if pl_module.clock.passed(self.every_images):
            self._save_once(trainer, pl_module, pl_module.clock.label(self.every_images))
        elif pl_module.interrupted or self._minutes_are_over(pl_module):
            self._save_once(trainer, pl_module, pl_module.clock.label())

    @property
    def saved_at(self) -> int:
        """The moment of the newest checkpoint."""
        return self._done_at

    def save(self, trainer: Trainer, module: GANModule) -> None:
        """Write a checkpoint of this moment, unless there is one, or the guard refuses it. A collective."""
        self._save_once(trainer, module, module.clock.label())

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Write the last checkpoint."""
        self._save_once(trainer, pl_module, pl_module.clock.label())

    def _minutes_are_over(self, module: GANModule) -> bool:
        """Rank 0's clock decides for all ranks, which are asked now and then, as saving takes all of them."""
        if self.every_seconds is None or (world_size() > 1 and module.clock.rounds % _ROUNDS_BETWEEN_LOOKS):
            return False
        return broadcast_value(time.monotonic() - self._saved_when >= self.every_seconds, module.device)

    def _save_once(self, trainer: Trainer, module: GANModule, label: str) -> None:
        try:
            module.settings.guard.settle()
        except NonFiniteGradient as problem:  # nothing to keep: the next step goes back
            module.settings.guard.request_rollback(str(problem))
            return
        if not self.first_time_at(module.clock.images_seen):
            return
        if not _all_finite(module):
            raise TrainingStopped(
                f"a parameter is not finite at {module.clock.images_seen} images; the last good checkpoint is kept"
            )
        self._saved_when = time.monotonic()
        module.scalars.settle()
        if trainer.is_global_zero:
            with self.trackers.pausing("saving"):
                self._write(module, label)

    def _write(self, module: GANModule, label: str) -> None:
        """In this order `generator.safetensors` is never older than `last.ckpt`, wherever a crash comes between."""
        run = Run(self.folder)
        path = run.checkpoints / f"{label}.ckpt"
        save_checkpoint(path, module_state(module))
        export_generator(run.generator, module)
        try:
            name_as_last(path)
        except OSError as error:
            raise RunError(f"cannot write {run.last_checkpoint}: {reason(error)}; {path.name} is whole") from error
        self._tidy_up(module)

    def _tidy_up(self, module: GANModule) -> None:
        """Remove what is old, also what a run left that was killed before it could; what stays costs room alone."""
        folder = Run(self.folder).checkpoints
        sound_until = module.settings.guard.watch.sound_until if self.keep_sound else None
        try:
            remove_old(folder, self.keep, module.clock.images_seen, sound_until)
        except OSError as error:
            if not self._warned:
                logger.warning("ganlab: warning: cannot remove old checkpoints in %s: %s", folder, reason(error))
            self._warned = True


def _all_finite(module: GANModule) -> bool:
    parameters = [parameter.detach() for parameter in module.parameters()]
    return bool(torch.isfinite(torch.nn.utils.get_total_norm(parameters)))
