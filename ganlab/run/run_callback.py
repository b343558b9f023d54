"""Where a run lives: all ranks agree on the folder, and a resumed run on its checkpoint, before training starts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

from pytorch_lightning import Callback, Trainer

from ganlab.contracts import DataFacts
from ganlab.data.loader import StepLoader
from ganlab.errors import RunError, UserError
from ganlab.files import remove_leftovers, write_text_atomically
from ganlab.run.changes import check_changes, find_changes
from ganlab.run.checkpoint_files import LAST, has_checkpoints, name_as_last, take_checkpoint, take_newest
from ganlab.run.folder import Run, create_run, find_resumable
from ganlab.run.lock import RunLock
from ganlab.run.part import RunPart
from ganlab.run.report import start_lines
from ganlab.spec import dump
from ganlab.spec.difference import Change
from ganlab.spec.model import Spec
from ganlab.tracking.build import build_trackers
from ganlab.tracking.provenance import write_provenance
from ganlab.tracking.tracker import Tracker, Trackers
from ganlab.tracking.wandb import run_of_agent
from ganlab.training.checkpoint import export_generator, restore_module
from ganlab.training.module import GANModule

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Resume:
    """Which run to go on with, and whether values that differ from those that it was trained with are taken.

    `run` is a run's folder or a name; None is the newest run of the spec's name. With `or_start` a new one is made
    where there is none.
    """

    run: Path | str | None = None
    change: bool = False
    or_start: bool = False


class _Place(NamedTuple):
    """Where a run lives and from which checkpoint it goes on."""

    folder: Path
    checkpoint: Path | None


class RunCallback(Callback):
    """Makes or finds the run's folder on rank 0, tells the others, and restores the checkpoint everywhere."""

    def __init__(
        self,
        spec: Spec,
        facts: DataFacts,
        runs: Path,
        resume: Resume | None,
        loader: StepLoader,
        callbacks: Sequence[RunPart],
    ) -> None:
        self.spec = spec
        self.facts = facts
        self.runs = runs
        self.resume = resume
        self.loader = loader
        self.callbacks = callbacks
        self.run: Run
        self.resumed_at: int | None = None
        self.changes: list[Change] = []
        self.trackers = Trackers()
        self._lock: RunLock | None = None

    def setup(self, trainer: Trainer, pl_module: GANModule, stage: str) -> None:  # type: ignore[override]
        """Agree on the folder, restore networks and clock, and start the stream where the run stands."""
        place = self._agree(trainer, lambda: self._find_place(pl_module))
        self.run = Run(place.folder)
        if place.checkpoint is not None:
            if not trainer.is_global_zero:  # whose module has it by now
                take_checkpoint(place.checkpoint, partial(restore_module, pl_module))
            self.resumed_at = pl_module.clock.images_seen
        self._agree(trainer, lambda: self._prepare_folder(pl_module, place.checkpoint))
        if trainer.is_global_zero:
            self.trackers = Trackers(self._build_trackers(pl_module, resumed=place.checkpoint is not None))
            self.trackers.begin()
        self.loader.restart(pl_module.clock.position, pl_module.clock.images_seen)
        for callback in self.callbacks:
            callback.attach(self.run.path, self.trackers)

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Say what is about to be trained."""
        if self.resumed_at is not None:
            changed = "".join(f"; {change}" for change in self.changes)
            text = f"training goes on from {self.resumed_at / 1000:g} kimg{changed}"
            self.trackers.event(self.resumed_at, "resume", text)
        if trainer.is_global_zero:
            lines = start_lines(self.run, self.spec, self.facts, pl_module, trainer.world_size, self.changes)
            print("\n".join(lines), flush=True)

    def _agree(self, trainer: Trainer, act: Callable[[], Answer]) -> Answer:
        """What rank 0 answers, on all ranks; they raise the error that keeps it from answering."""
        answer: Answer | UserError | None = None
        if trainer.is_global_zero:
            try:
                answer = act()
            except UserError as error:
                answer = error
            except OSError as error:
                answer = RunError(f"the run folder cannot be written: {error}")
        answer = trainer.strategy.broadcast(answer)
        if isinstance(answer, UserError):
            raise answer
        return cast(Answer, answer)

    def release(self) -> None:
        """Let another training write to the run's folder."""
        if self._lock is not None:
            self._lock.release()

    def _find_place(self, module: GANModule) -> _Place:
        if self.resume is None and (given_again := run_of_agent(self.runs / self.spec.name)):
            self.resume = Resume(given_again)
        run = None if self.resume is None else self._find_run(self.resume)
        if self.resume is None or run is None:
            run = create_run(self.runs, self.spec.name)
            self._lock = RunLock(run.path.resolve())
            return _Place(run.path.resolve(), None)
        self._lock = RunLock(run.path)
        for leftovers in (run.path, run.checkpoints, run.samples):
            remove_leftovers(leftovers)
        if not has_checkpoints(run.checkpoints):
            logger.warning("ganlab: %s has no checkpoint yet: training starts anew in this folder", run.path)
            return _Place(run.path, None)
        self.changes = find_changes(run, self.spec, self.facts)
        if not self.resume.change:
            check_changes(run, self.changes)
        return _Place(run.path, take_newest(run.checkpoints, partial(restore_module, module)))

    def _find_run(self, resume: Resume) -> Run | None:
        named = self.runs / self.spec.name
        folders = [named] if resume.run is None else [Path(resume.run), self.runs / resume.run, named / resume.run]
        folder = folders[0]
        run = next(filter(None, map(find_resumable, folders)), None)
        if run is None and resume.run is None and folder.is_dir():
            run = create_run(self.runs, self.spec.name)  # killed between making the two folders
        if run is None and resume.or_start:
            logger.warning("ganlab: there is no run to resume in %s: a new one starts", folder.resolve())
            return None
        if run is None:
            wanted = f"in {folder.resolve()}" if resume.run is None else f"'{resume.run}', neither as a folder nor "
            wanted += "" if resume.run is None else f"as a name below {self.runs.resolve()}"
            raise RunError(f"there is no run to resume {wanted}: leave out '--resume' to start one")
        return Run(run.path.resolve())

    def _prepare_folder(self, module: GANModule, checkpoint: Path | None) -> None:
        """Bring what is beside the checkpoints up to date."""
        resumed_at = self.resumed_at
        if checkpoint is not None and checkpoint.name != LAST:
            export_generator(self.run.generator, module)
            name_as_last(checkpoint)
        self._write_spec(resumed_at)
        write_provenance(self.run.path, self.spec, self.facts, resumed_at, self.changes)

    def _write_spec(self, resumed_at: int | None) -> None:
        target = self.run.path / "spec.yaml"
        text = dump(self.spec)
        before = target.read_text(encoding="utf-8") if target.exists() else text
        if before != text and resumed_at is not None:
            write_text_atomically(target.with_name(f"spec-before-{resumed_at}-images.yaml"), before)
        write_text_atomically(target, text)

    def _build_trackers(self, module: GANModule, *, resumed: bool) -> list[Tracker]:
        if not resumed:
            return build_trackers(self.spec, self.run.path)
        moment = module.clock.images_seen
        # What the checkpoint has yet to log is in no line of an uninterrupted run up to here.
        logged_until = moment if module.scalars.empty else moment - 1
        return build_trackers(self.spec, self.run.path, moment, logged_until)
