"""One training run from a checked spec: builds the parts, hands them to Lightning, and says how it ended."""

from __future__ import annotations

import logging
import os
import signal
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer
from pytorch_lightning.accelerators import CPUAccelerator

from ganlab.build import (
    build_metrics,
    build_module,
    check_batch_sizes,
    check_optimizers,
    networks_trained_with,
    open_dataset,
    rehearse_for,
)
from ganlab.contracts import Dataset
from ganlab.data import preflight
from ganlab.data.loader import StepLoader
from ganlab.distributed import is_lost_process
from ganlab.errors import ProcessLost, reason
from ganlab.evaluation.evaluator import Evaluator
from ganlab.run.best_callback import BestCallback
from ganlab.run.checkpoint_callback import CheckpointCallback
from ganlab.run.collapse_callback import CollapseCallback
from ganlab.run.diversity_callback import DiversityCallback
from ganlab.run.end_callback import EndCallback
from ganlab.run.evaluation_callback import EvaluationCallback
from ganlab.run.folder import Run
from ganlab.run.launch import detect_launch, is_first_process
from ganlab.run.part import RunPart
from ganlab.run.rollback_callback import RollbackCallback
from ganlab.run.run_callback import Resume, RunCallback
from ganlab.run.signals import SignalWatch
from ganlab.run.snapshot_callback import SnapshotCallback
from ganlab.run.tracking_callback import TrackingCallback
from ganlab.spec.model import Spec
from ganlab.spec.sampling import check_sampling
from ganlab.tracking.tracker import FINISHED, INTERRUPTED
from ganlab.training.compilation import compile_networks
from ganlab.training.devices import check_devices
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `signal` is the one that ended it early, if any, `diversity` the last `diversity/...`."""

    run: Run
    metrics: dict[str, float]
    signal: int | None
    diversity: dict[str, float] = field(default_factory=dict)


def train(spec: Spec, runs: Path, resume: Resume | None = None, more: Sequence[RunPart] = ()) -> Outcome:
    """Run the experiment (on this rank). `resume` names the run to go on with; without it a new one is made.

    `more` are callbacks that come after the usual ones.
    Raises `Interrupted` if SIGTERM or Ctrl-C ends it before the first step.
    """
    with SignalWatch(spec.trainer.signals).listening() as signals:
        return _train(spec, runs, resume, signals, more)


def _train(spec: Spec, runs: Path, resume: Resume | None, signals: SignalWatch, more: Sequence[RunPart]) -> Outcome:
    quieten_lightning()
    launch = detect_launch(spec.trainer)
    check_devices(spec.trainer)
    check_optimizers(spec)
    dataset = open_dataset(spec.data)
    if is_first_process():
        preflight(dataset)
    module = build_module(spec, dataset.facts)
    if is_first_process():
        rehearse_for(spec, dataset.facts, launch.world_size)  # after the networks: see ganlab.rehearsal
    check_batch_sizes(module, spec, launch.world_size)
    compile_networks(module, spec.trainer.compile)
    remark = module.remark(spec.total_images)
    if remark and is_first_process():
        logger.warning("ganlab: warning: %s", remark)
    loader = _build_loader(spec, dataset, module)
    parts = _build_parts(spec, dataset, module, loader, signals)
    run_callback = RunCallback(spec, dataset.facts, runs, resume, loader, [*parts.in_run(), *more])
    trainer = Trainer(
        **launch.trainer_arguments(),
        **trainer_options(spec),
        callbacks=[run_callback, *parts.in_run(), *more, parts.end],
    )
    if isinstance(trainer.accelerator, CPUAccelerator):
        # Lightning lets torch look for GPUs through their driver's library, which optimizers do in every step.
        os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
    try:
        trainer.fit(module, train_dataloaders=loader)
    except BaseException as error:
        run_callback.trackers.finish(f"stopped: {reason(error)}")
        if launch.world_size > 1 and is_lost_process(error):
            raise ProcessLost(
                f"another process of the run is gone, so this one ends too ({reason(error)}). The last "
                "checkpoint is kept: 'ganlab train ... --resume' goes on."
            ) from error
        raise
    else:
        received = signals.received or (signal.SIGTERM if module.interrupted else None)  # by another rank
        run_callback.trackers.finish(FINISHED if received is None else INTERRUPTED)
    finally:
        run_callback.release()
    return parts.outcome(run_callback.run, received)


def trainer_options(spec: Spec) -> dict[str, Any]:
    """Arguments of Lightning's Trainer that do not depend on the launch; its own conveniences are off."""
    section = spec.trainer
    return {
        "accelerator": section.accelerator,
        "precision": section.precision,
        "benchmark": section.benchmark,
        "deterministic": section.deterministic,
        "detect_anomaly": section.detect_anomaly,
        "max_epochs": -1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "limit_val_batches": 0,
        "use_distributed_sampler": False,
    }


def quieten_lightning() -> None:
    """Keep Lightning's notices about devices, loggers and data loaders out of the user's sight."""
    for name in ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(pytorch_lightning|lightning_fabric)\..*")


def _build_loader(spec: Spec, dataset: Dataset, module: GANModule) -> StepLoader:
    return StepLoader(
        dataset,
        step_size=module.step_size,
        resolution=module.step_resolution,
        frames=module.step_frames,
        seed=spec.seed,
        flip=spec.data.flip,
        jitter=spec.data.jitter,
        workers=spec.data.workers,
        timeout=60 * spec.trainer.timeout_minutes if spec.data.workers else 0,
        pin_memory=torch.cuda.is_available() and spec.trainer.accelerator not in ("cpu", "mps"),
    )


@dataclass
class _Parts:
    """The callbacks of a run, in the order in which they act after a step."""

    rollback: RollbackCallback
    diversity: DiversityCallback | None
    evaluation: EvaluationCallback | None
    end: EndCallback

    def in_run(self) -> list[RunPart]:
        """Those that work in the run's folder."""
        return [self.rollback, *self.rollback.parts]

    def outcome(self, run: Run, received: int | None) -> Outcome:
        """How the run ended, with the values of the last evaluation and the last look at the diversity."""
        return Outcome(
            run,
            dict(self.evaluation.values) if self.evaluation else {},
            received,
            dict(self.diversity.values) if self.diversity else {},
        )


def _build_parts(spec: Spec, dataset: Dataset, module: GANModule, loader: StepLoader, signals: SignalWatch) -> _Parts:
    section, policy = spec.checkpoint, spec.guard.collapse
    evaluation = None
    diversity = DiversityCallback(spec.diversity, dataset, spec.total_images) if spec.diversity else None
    collapse = CollapseCallback(spec.guard, dataset, diversity) if policy != "ignore" else None
    checkpoints = CheckpointCallback(section.every_kimg, section.keep, section.every_minutes, policy == "rollback")
    tracking = TrackingCallback(spec.tracking, spec.total_images, collapse.gauge if collapse else None)
    parts: list[RunPart] = [tracking, *(part for part in (diversity, collapse) if part is not None), checkpoints]
    if spec.snapshots:
        parts.append(SnapshotCallback(spec.snapshots, dataset))
    if spec.evaluation and spec.evaluation.metrics:
        evaluation = EvaluationCallback(spec.evaluation, _build_evaluator(spec, dataset, module), signals)
        parts.append(evaluation)
        if spec.evaluation.best:
            parts.append(BestCallback(spec.evaluation.best, evaluation, checkpoints, spec.total_images))
    rollback = RollbackCallback(loader, parts, spec.total_images)
    if collapse is not None:
        collapse.rollback = rollback
    return _Parts(
        rollback,
        diversity,
        evaluation,
        EndCallback(spec.total_images, signals),
    )


def _build_evaluator(spec: Spec, dataset: Dataset, module: GANModule) -> Evaluator:
    section = spec.evaluation
    assert section is not None
    sampling = check_sampling(type(module), section.sampling)
    return Evaluator(
        build_metrics(section.metrics, module.facts_of_samples(sampling)),
        dataset,
        section.metrics,
        samples=section.samples,
        seed=section.seed,
        batch_size=section.batch_size,
        flip=spec.data.flip,
        reals=section.reals,
        sampling=sampling,
        domain=module.domain_of(sampling),
        precision=section.precision,
        budget_minutes=section.budget_minutes,
        trained_with=networks_trained_with(spec.architecture),
    )
