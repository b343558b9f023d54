"""Evaluates the averaged weights by the clock of images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer

from ganlab.evaluation.evaluator import Evaluator, merge_values
from ganlab.spec.model import EvaluationSection
from ganlab.tracking.tracker import Trackers
from ganlab.training.module import GANModule


class EvaluationCallback(Callback):
    """Runs the metrics every `every_kimg` and at the end; `values` are the newest, by name, on every rank."""

    def __init__(self, section: EvaluationSection, evaluator: Evaluator) -> None:
        self.every_images = section.every_kimg * 1000
        self.evaluator = evaluator
        self.trackers = Trackers()
        self.values: dict[str, float] = {}
        self._done_at = -1

    def attach(self, run_path: Path, trackers: Trackers) -> None:
        """Take the run's trackers; called before training starts."""
        self.trackers = trackers

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Evaluate if it is time to."""
        if pl_module.clock.passed(self.every_images):
            self._evaluate_once(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Evaluate what training ended with, unless a signal ended it: then there is no time."""
        if not pl_module.interrupted:
            self._evaluate_once(pl_module)

    def _evaluate_once(self, module: GANModule) -> None:
        images_seen = module.clock.images_seen
        if self._done_at == images_seen:
            return
        self._done_at = images_seen
        results = self.evaluator.evaluate(module)
        self.values = merge_values(results)
        for result in results:
            self.trackers.metrics(images_seen, result.values, result.protocol, result.error)
