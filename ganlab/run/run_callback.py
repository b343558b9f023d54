"""Where a run lives: all ranks agree on the folder, and a resumed run on its checkpoint, before training starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pytorch_lightning import Callback, Trainer

from ganlab.contracts import DataFacts
from ganlab.data.loader import StepLoader
from ganlab.errors import RunError, reason
from ganlab.run.folder import Run, create_run, open_run
from ganlab.spec import dump
from ganlab.spec.model import Spec
from ganlab.tracking.build import build_trackers
from ganlab.tracking.provenance import write_provenance
from ganlab.tracking.tracker import Trackers
from ganlab.training.checkpoint import load_checkpoint, restore_module
from ganlab.training.module import GANModule


@dataclass(frozen=True)
class Resume:
    """Which run to go on with: a folder, or None for the newest run of the spec's name."""

    path: Path | None = None


class WorksInRun(Protocol):
    """A callback that works in the run's folder and tells its trackers."""

    def attach(self, run_path: Path, trackers: Trackers) -> None:
        """Take both; called before training starts, on every rank."""


class RunCallback(Callback):
    """Makes or finds the run's folder on rank 0, tells the others, and restores the checkpoint everywhere."""

    def __init__(
        self,
        spec: Spec,
        facts: DataFacts,
        runs: Path,
        resume: Resume | None,
        loader: StepLoader,
        callbacks: Sequence[WorksInRun],
    ) -> None:
        self.spec = spec
        self.facts = facts
        self.runs = runs
        self.resume = resume
        self.loader = loader
        self.callbacks = callbacks
        self.run: Run
        self.trackers = Trackers()

    def setup(self, trainer: Trainer, pl_module: GANModule, stage: str) -> None:  # type: ignore[override]
        """Agree on the folder, restore networks and clock, and start the stream where the run stands."""
        found = self._on_rank_zero(trainer)
        if isinstance(found, Exception):
            raise found
        self.run = Run(Path(found))
        resumed_at = self._restore(pl_module) if self.resume else None
        if trainer.is_global_zero:
            self._describe_run(resumed_at)
            self.trackers = Trackers(build_trackers(self.spec, self.run.path, resumed_at))
        self.loader.restart(pl_module.clock.position, pl_module.clock.images_seen)
        for callback in self.callbacks:
            callback.attach(self.run.path, self.trackers)

    def _on_rank_zero(self, trainer: Trainer) -> str | Exception:
        """The run's folder, or the error that keeps rank 0 from having one: the other ranks must hear of it."""
        found: str | Exception = ""
        if trainer.is_global_zero:
            try:
                found = str(self._find_or_create().path.resolve())
            except (RunError, OSError) as error:
                found = error if isinstance(error, RunError) else RunError(f"cannot make the run folder: {error}")
        return trainer.strategy.broadcast(found)

    def _find_or_create(self) -> Run:
        if self.resume is None:
            return create_run(self.runs, self.spec.name)
        return open_run(self.resume.path or self.spec.name, self.runs)

    def _restore(self, module: GANModule) -> int:
        try:
            restore_module(module, load_checkpoint(self.run.last_checkpoint))
        except (RuntimeError, KeyError, ValueError) as error:
            raise RunError(
                f"the checkpoint {self.run.last_checkpoint} does not fit the spec; was the architecture changed since? "
                f"({reason(error)})"
            ) from error
        return module.clock.images_seen

    def _describe_run(self, resumed_at: int | None) -> None:
        target = self.run.path / "spec.yaml"
        text = dump(self.spec)
        if target.exists() and target.read_text() != text:
            target.rename(target.with_name(f"spec-before-{resumed_at}-images.yaml"))
        target.write_text(text)
        write_provenance(self.run.path, self.spec, self.facts, resumed_at)
