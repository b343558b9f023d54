"""When checkpoints are written, kept and gone back to."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Callback, Trainer

from ganlab.data.loader import StepLoader
from ganlab.errors import RunError, TrainingStopped
from ganlab.files import write_atomically
from ganlab.run.folder import Run
from ganlab.tracking.tracker import Trackers
from ganlab.training.checkpoint import (
    export_generator,
    load_checkpoint,
    module_state,
    restore_module,
    save_checkpoint,
)
from ganlab.training.module import GANModule


class CheckpointCallback(Callback):
    """Writes checkpoints by the clock of images (and by minutes if wanted), keeps the newest, serves rollbacks.

    A checkpoint at the start makes sure that there is always one to go back to. Rank 0 writes; the state is equal
    on all ranks.
    """

    def __init__(self, every_kimg: float, keep: int, every_minutes: float | None, loader: StepLoader) -> None:
        self.every_images = every_kimg * 1000
        self.keep = keep
        self.every_seconds = None if every_minutes is None else every_minutes * 60
        self.loader = loader
        self.run: Run | None = None
        self._saved_at = -1
        self._saved_when = time.monotonic()

    def attach(self, run_path: Path, trackers: Trackers) -> None:
        """Take the run's folder; called before training starts."""
        self.run = Run(run_path)

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Write the first checkpoint; a resumed run has the one it goes on from."""
        assert self.run is not None
        if self.run.last_checkpoint.exists():
            self._saved_at = pl_module.clock.images_seen
        self._save_once(trainer, pl_module, pl_module.clock.label())

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Go back if the guard asks for it; write a checkpoint if one is due."""
        if pl_module.settings.guard.rollback_requested:
            self._roll_back(trainer, pl_module, batch.position + batch.images_shown)
        elif pl_module.clock.passed(self.every_images):
            self._save_once(trainer, pl_module, pl_module.clock.label(self.every_images))
        elif pl_module.interrupted or self._minutes_are_over():
            self._save_once(trainer, pl_module, pl_module.clock.label())

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Write the last checkpoint."""
        self._save_once(trainer, pl_module, pl_module.clock.label())

    def _minutes_are_over(self) -> bool:
        return self.every_seconds is not None and time.monotonic() - self._saved_when >= self.every_seconds

    def _save_once(self, trainer: Trainer, module: GANModule, label: str) -> None:
        if self._saved_at == module.clock.images_seen:
            return
        if not _all_finite(module):
            raise TrainingStopped(
                f"a parameter is not finite at {module.clock.images_seen} images; the last good checkpoint is kept"
            )
        self._saved_at = module.clock.images_seen
        self._saved_when = time.monotonic()
        if trainer.is_global_zero:
            self._write(module, label)

    def _write(self, module: GANModule, label: str) -> None:
        assert self.run is not None
        folder = self.run.checkpoints
        path = folder / f"{label}.ckpt"
        try:
            save_checkpoint(path, module_state(module))
            write_atomically(folder / "last.ckpt", lambda temporary: _link_or_copy(path, temporary))
            export_generator(self.run.path / "generator.safetensors", module)
        except OSError as error:
            raise RunError(f"cannot write the checkpoint {path}: {error}; earlier checkpoints are untouched") from error
        old = sorted(folder.glob("kimg-*.ckpt"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        for file in old[: -self.keep]:
            file.unlink()

    def _roll_back(self, trainer: Trainer, module: GANModule, next_position: int) -> None:
        assert self.run is not None
        guard = module.settings.guard
        reason, rollbacks = guard.rollback_requested, guard.rollbacks
        trainer.strategy.barrier()  # the last checkpoint may still be on its way to the disk
        restore_module(module, load_checkpoint(self.run.last_checkpoint, module.device))
        guard.rollbacks, guard.rollback_requested = rollbacks, ""
        module.clock.position = next_position
        self.loader.restart(next_position, module.clock.images_seen)
        if trainer.is_global_zero:
            print(f"ganlab: {reason}; rolled back to {module.clock.images_seen} images ({rollbacks} of {guard.limit})")


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)


def _all_finite(module: GANModule) -> bool:
    parameters = [parameter.detach() for parameter in module.parameters()]
    return bool(torch.isfinite(torch.nn.utils.get_total_norm(parameters)))
