"""Pictures of samples by the clock of images, always from the same latents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer
from torch import Tensor

from ganlab.contracts import Dataset
from ganlab.evaluation.pictures import real_picture, sample_picture, save_picture
from ganlab.spec.model import SnapshotSection
from ganlab.tracking.tracker import Trackers
from ganlab.training.module import GANModule


class SnapshotCallback(Callback):
    """Writes `samples/kimg-000020.png` every `every_kimg`, at the start and at the end, and `samples/reals.png`.

    A file is named by the multiple of `every_kimg` that was reached, or by the exact moment if there is none. Rank 0
    does it all.
    """

    def __init__(self, section: SnapshotSection, dataset: Dataset) -> None:
        self.every_images = section.every_kimg * 1000
        self.grid = section.grid
        self.seed = section.seed
        self.dataset = dataset
        self.folder: Path | None = None
        self.trackers = Trackers()
        self._done_at = -1
        self._reals: Tensor | None = None

    def attach(self, run_path: Path, trackers: Trackers) -> None:
        """Take the run's folder and trackers; called before training starts."""
        self.folder = run_path / "samples"
        self.trackers = trackers

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Show what the data look like and what training starts with; a resumed run has done so before."""
        if trainer.is_global_zero and pl_module.clock.images_seen == 0:
            self._save(self._real_examples(), "reals", 0)
            self._snapshot_once(pl_module, pl_module.clock.label())

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

    def _snapshot_once(self, module: GANModule, label: str) -> None:
        images_seen = module.clock.images_seen
        if self._done_at == images_seen:
            return
        self._done_at = images_seen
        self._save(sample_picture(module, self.grid, self.seed), label, images_seen)

    def _save(self, examples: Tensor, name: str, images_seen: int) -> None:
        assert self.folder is not None, "attach comes before training"
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        reference = None if self.dataset.facts.is_images else self._real_examples()
        save_picture(examples, path, self.dataset.facts, self.grid, reference)
        self.trackers.image(images_seen, "reals" if name == "reals" else "samples", path)

    def _real_examples(self) -> Tensor:
        if self._reals is None:
            self._reals = real_picture(self.dataset, self.grid, self.seed)
        return self._reals
