"""Pictures of samples by the clock of images, always from the same latents."""

from __future__ import annotations

import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from ganlab.contracts import Dataset
from ganlab.errors import reason
from ganlab.evaluation.pictures import Picture, real_picture, sample_picture
from ganlab.evaluation.source import source_of
from ganlab.files import write_atomically
from ganlab.run.folder import Run
from ganlab.run.part import RunPart
from ganlab.spec.model import SnapshotSection
from ganlab.spec.sampling import check_sampling
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)


class SnapshotCallback(RunPart):
    """Writes `samples/kimg-000020.png` every `every_kimg`, at the start and at the end, and `samples/reals.png`.

    A file is named by the multiple of `every_kimg` that was reached, or by the exact moment if there is none;
    `samples/latest.png` is a copy of the newest. Sequences move in a GIF beside each. Where the data have inputs,
    samples are made for the first held-out examples. Rank 0 does it all. A picture that cannot be written costs a
    warning and is named in the log; the next one is tried again.
    """

    def __init__(self, section: SnapshotSection, dataset: Dataset) -> None:
        super().__init__(section.every_kimg * 1000)
        self.grid = section.grid
        self.seed = section.seed
        self.sampling = section.sampling
        self.dataset = dataset
        self._reals: Picture | None = None
        self._warned = False

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Show what the data look like and what training starts with; a resumed run has done so before."""
        clock = pl_module.clock
        if not trainer.is_global_zero:
            return
        if clock.images_seen == 0:
            self._save(self._real_picture(pl_module), "reals", 0)
            self._snapshot_once(pl_module, clock.label())
        elif clock.passed(self.every_images) and not self._path(clock.label(self.every_images)).exists():
            self._snapshot_once(pl_module, clock.label(self.every_images))

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take a snapshot if it is time to."""
        if pl_module.clock.passed(self.every_images) and trainer.is_global_zero:
            self._snapshot_once(pl_module, pl_module.clock.label(self.every_images))

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Show what training ended with."""
        if trainer.is_global_zero:
            self._snapshot_once(pl_module, pl_module.clock.label())

    def _path(self, name: str) -> Path:
        return Run(self.folder).samples / f"{name}.png"

    def _snapshot_once(self, module: GANModule, label: str) -> None:
        if self.first_time_at(module.clock.images_seen):
            with self.trackers.pausing("drawing samples"):
                self._snapshot(module, label)

    def _snapshot(self, module: GANModule, label: str) -> None:
        options = check_sampling(type(module), self.sampling)
        picture = sample_picture(
            module,
            self.grid,
            self.seed,
            options=options,
            source=source_of(self.dataset, module.device, module.made_from(options)),
            reference=None if self.dataset.facts.is_images else self._real_picture(module).examples,
        )
        self._save(picture, label, module.clock.images_seen)

    def _save(self, picture: Picture, name: str, images_seen: int) -> None:
        path = self._path(name)
        try:
            picture.save(path)
            if name != "reals":
                self._copy_as_latest(path)
        except OSError as error:
            self._report(path, error)
        else:
            self.trackers.image(images_seen, "reals" if name == "reals" else "samples", path)

    def _copy_as_latest(self, path: Path) -> None:
        for file in (path, path.with_suffix(".gif")):
            if file.exists():
                write_atomically(self._path("latest").with_suffix(file.suffix), partial(shutil.copyfile, file))

    def _report(self, path: Path, error: OSError) -> None:
        self.trackers.gap(f"samples/{path.name} could not be written: {reason(error)}")
        if not self._warned:
            logger.warning(
                "ganlab: warning: the picture %s cannot be written: %s; the run goes on, and the next one is tried "
                "again. 'log.jsonl' names those that are missing",
                path,
                reason(error),
            )
        self._warned = True

    def _real_picture(self, module: GANModule) -> Picture:
        if self._reals is None:
            self._reals = real_picture(self.dataset, self.grid, self.seed, module)
        return self._reals
