"""Keeps the checkpoint of the best evaluation, and ends a training that does not get better any more."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from pytorch_lightning import Trainer

from ganlab.distributed import broadcast_value
from ganlab.errors import UserError
from ganlab.evaluation.directions import direction_of
from ganlab.files import write_text_atomically
from ganlab.run.checkpoint_callback import CheckpointCallback
from ganlab.run.checkpoint_files import name_as_best
from ganlab.run.evaluation_callback import EvaluationCallback
from ganlab.run.folder import Run
from ganlab.run.part import RunPart
from ganlab.spec.model import BestSection
from ganlab.suggestions import did_you_mean
from ganlab.tracking.jsonl import measured_series
from ganlab.training.module import GANModule


@dataclass(frozen=True)
class Best:
    """The evaluation that `best.ckpt` is of; `direction` says whether lower or higher is better."""

    metric: str
    direction: str
    value: float
    images_seen: int


class BestCallback(RunPart):
    """Keeps `checkpoints/best.ckpt`, with `best.json` beside it, and stops after `patience` evaluations in vain.

    Stands behind the evaluation. What it decides by is in `metrics.jsonl`, so that a resumed run decides as one that
    was not interrupted; where training went back to before the best evaluation, the next one is the best again. Raises
    `UserError` for a number that the metric does not have.
    """

    def __init__(
        self,
        section: BestSection,
        evaluation: EvaluationCallback,
        checkpoints: CheckpointCallback,
        total_images: float = math.inf,
    ) -> None:
        super().__init__()
        self.metric = section.metric
        self.patience = section.patience
        self.direction = direction_of(section, evaluation.evaluator.metrics)
        self.evaluation = evaluation
        self.checkpoints = checkpoints
        self.total_images = total_images
        self.best: Best | None = None
        self._history: list[tuple[int, float]] = []  # moments and values, None of the future

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Take up what was found so far, and make up for an evaluation that nobody looked at."""
        seen = pl_module.clock.images_seen
        found = self._from_folder(seen) if trainer.is_global_zero else (None, [])
        self.best, self._history = broadcast_value(found, pl_module.device)
        self._look(trainer, pl_module)

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Look at what was just measured."""
        self._look(trainer, pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Look at the last evaluation."""
        self._look(trainer, pl_module)

    def rewind(self, images_seen: int) -> None:
        """Forget evaluations that were taken back."""
        super().rewind(images_seen)
        self._history = [(moment, value) for moment, value in self._history if moment <= images_seen]
        if self.best is not None and self.best.images_seen > images_seen:
            self.best = None

    def _from_folder(self, seen: int) -> tuple[Best | None, list[tuple[int, float]]]:
        history = [(m, v) for m, v in measured_series(self.folder, self.metric) if m < seen]
        best = read_best(Run(self.folder))
        fits = best is not None and (best.metric, best.direction) == (self.metric, self.direction)
        return (best if fits and best is not None and best.images_seen <= seen else None), history

    def _look(self, trainer: Trainer, module: GANModule) -> None:
        moment = module.clock.images_seen
        if self.evaluation.measured_at != moment or not self.first_time_at(moment):
            return
        value = self._value()
        if value is None:
            return
        self._history.append((moment, value))
        if self._is_better(value):
            self._keep(trainer, module, Best(self.metric, self.direction, value, moment))
        self._judge_patience(trainer, moment)

    def _value(self) -> float | None:
        """What was measured; None where the metric failed."""
        values = self.evaluation.values
        metric = self.metric.partition("/")[0]
        own = [name for name in values if name.partition("/")[0] == metric]
        if own and self.metric not in values:
            raise UserError(
                f"evaluation.best.metric: there is no '{self.metric}' among the numbers of the metric '{metric}': "
                f"{', '.join(own)}{did_you_mean(self.metric, own)}; name one of them, and go on with '--resume'"
            )
        return values.get(self.metric)

    def _is_better(self, value: float) -> bool:
        if not math.isfinite(value):
            return False
        if self.best is None:
            return True
        return value < self.best.value if self.direction == "lower" else value > self.best.value

    def _keep(self, trainer: Trainer, module: GANModule, best: Best) -> None:
        self.checkpoints.save(trainer, module)
        if self.checkpoints.saved_at != best.images_seen:
            return  # the guard has found something that will be taken back
        self.best = best
        if trainer.is_global_zero:
            run = Run(self.folder)
            name_as_best(run.checkpoints)
            write_text_atomically(run.best_record, json.dumps(asdict(best)) + "\n")
        text = f"{best.metric} {best.value:.4g} is the {best.direction.removesuffix('er')}est so far"
        self.trackers.event(best.images_seen, "best", text, {"metric": best.metric, "value": best.value})

    def _judge_patience(self, trainer: Trainer, moment: int) -> None:
        if self.patience is None or self.best is None or moment >= self.total_images:
            return
        in_vain = sum(earlier > self.best.images_seen for earlier, _ in self._history)
        if in_vain < self.patience:
            return
        text = (
            f"no {self.direction} {self.metric} than {self.best.value:.4g}, of {self.best.images_seen / 1000:g} kimg, "
            f"in {in_vain} evaluation{'s' * (in_vain > 1)}: the training ends at {moment / 1000:g} kimg "
            "(evaluation.best.patience)"
        )
        self.trackers.event(moment, "patience", text)
        if trainer.is_global_zero:
            print(f"ganlab: {text}", flush=True)
        trainer.should_stop = True


def read_best(run: Run) -> Best | None:
    """The evaluation that a run's `best.ckpt` is of; None where there is none."""
    try:
        return Best(**json.loads(run.best_record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
