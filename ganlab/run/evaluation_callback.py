"""Evaluates the averaged weights by the clock of images."""

from __future__ import annotations

import logging
import signal
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.distributed import any_over_ranks, broadcast_value, rank, world_size
from ganlab.errors import Interrupted
from ganlab.evaluation.evaluator import Evaluator, MetricResult, merge_values
from ganlab.run.part import RunPart
from ganlab.run.report import evaluation_line
from ganlab.run.signals import SignalWatch
from ganlab.spec.model import EvaluationSection
from ganlab.tracking.jsonl import measured_at
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)


class EvaluationCallback(RunPart):
    """Runs the metrics every `every_kimg` and at the end; `values` are the newest, by name, on every rank.

    `measured_at` is their moment. A resumed run makes up for an evaluation that was due at its checkpoint and is not in
    `metrics.jsonl`. A signal breaks an evaluation off, at once in a run of one process, and at the next block of images
    in one of several.
    """

    def __init__(self, section: EvaluationSection, evaluator: Evaluator, signals: SignalWatch | None = None) -> None:
        super().__init__(section.every_kimg * 1000)
        self.evaluator = evaluator
        self.signals = signals or SignalWatch()
        self.values: dict[str, float] = {}
        self._said: set[tuple[str, str]] = set()
        self.measured_at = -1

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Take over what was measured at this moment, or measure it if it was due."""
        moment = pl_module.clock.images_seen
        found = measured_at(self.folder, moment) if trainer.is_global_zero else {}
        measured: Mapping[str, Mapping[str, float]] = broadcast_value(found, pl_module.device)
        if moment and set(self.evaluator.metrics) <= set(measured):
            self._done_at = self.measured_at = moment
            self.values = {name: value for values in measured.values() for name, value in values.items()}
        elif moment and pl_module.clock.passed(self.every_images):
            self._evaluate_once(pl_module)

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Evaluate if it is time to."""
        if pl_module.clock.passed(self.every_images) and not pl_module.interrupted:
            self._evaluate_once(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Evaluate what training ended with, unless a signal ended it: then there is no time."""
        if not pl_module.interrupted:
            self._evaluate_once(pl_module)

    def _evaluate_once(self, module: GANModule) -> None:
        images_seen = module.clock.images_seen
        if not self.first_time_at(images_seen):
            return
        several = world_size() > 1
        try:
            at_once = nullcontext() if several else self.signals.at_once()
            self.evaluator.report = partial(self._heed, module.device) if several else self.evaluator.report
            with self.trackers.pausing("evaluating"), at_once:
                results = self.evaluator.evaluate(module)
        except Interrupted:
            module.interrupted = True
            return
        before, self.values, self.measured_at = self.values, merge_values(results), images_seen
        if rank() == 0:
            print(evaluation_line(images_seen, self.values, before), flush=True)
        for result in results:
            self.trackers.metrics(images_seen, result.values, result.protocol, result.error, result.notes)
            self._say(result)

    def _heed(self, device: torch.device, what: str, done: int, total: int) -> None:
        """End the evaluation on all ranks if one has got a signal. A collective."""
        del done, total
        together = what in ("reals", "fakes")  # the rest is rank 0's work
        if together and any_over_ranks(self.signals.received is not None, device):
            raise Interrupted(self.signals.received or signal.SIGTERM)

    def _say(self, result: MetricResult) -> None:
        """Notes on a metric's numbers, and why one has none, each once a run."""
        for sentence in (*result.notes, *([result.error] if result.error else [])):
            if rank() == 0 and (result.metric, sentence) not in self._said:
                self._said.add((result.metric, sentence))
                logger.warning("ganlab: warning: %s: %s", result.metric, sentence)
