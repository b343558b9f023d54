"""A training in small, to find what would go wrong later and how long it would take."""

from __future__ import annotations

import contextlib
import io
import math
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.data.loader import StepLoader
from ganlab.run.part import RunPart
from ganlab.run.session import train
from ganlab.run.tracking_callback import memory_in_use
from ganlab.spec.model import Spec, TrackingSection
from ganlab.tracking.jsonl import read_records
from ganlab.tracking.tracker import Tracker, Trackers
from ganlab.training.module import GANModule

SAMPLES = 256  # of an evaluation
_STEPS = 4  # of each stage, the first of which is no measure


@dataclass(frozen=True)
class Stage:
    """Images seen from which on, and up to which, steps are of one kind, and what one of these images costs."""

    begin: int
    end: int
    seconds_per_image: float = 0.0


def dry_run(spec: Spec) -> list[str]:
    """Play some rounds of each stage, draw, evaluate few samples and save, in a folder that goes; what that tells.

    Raises whatever a training would.
    """
    rehearsal, problems = measure(spec)
    return problems if rehearsal is None else [*problems, *_told(spec, rehearsal)]


def measure(spec: Spec) -> tuple[_Rehearsal | None, list[str]]:
    """The rehearsal of a training, None if a signal ended it, and sentences on what could not be tried."""
    rehearsal = _Rehearsal(spec.total_images)
    with tempfile.TemporaryDirectory(prefix="ganlab-dry-run-") as folder, contextlib.redirect_stdout(io.StringIO()):
        outcome = train(_in_small(spec), Path(folder), more=[rehearsal])
        failed = [record for record in read_records(outcome.run.path / "metrics.jsonl") if "error" in record]
    if outcome.signal is not None:
        return None, ["dry run: stopped by a signal"]
    problems = [
        f"metric {r['protocol']['metric']} could not be tried on {r['protocol']['samples']} samples: {r['error']}"
        for r in failed
    ]
    return rehearsal, problems


def _in_small(spec: Spec) -> Spec:
    evaluation = spec.evaluation and replace(spec.evaluation, samples=min(spec.evaluation.samples, SAMPLES))
    tracking = TrackingSection(every_kimg=spec.kimg, progress=False)
    return replace(spec, evaluation=evaluation, tracking=tracking, diversity=None)  # whose findings would be none


class _Rehearsal(RunPart):
    """Lets the clock jump from stage to stage, and measures rounds and pauses on the way."""

    def __init__(self, total_images: int) -> None:
        super().__init__()
        self.total_images = total_images
        self.pauses = _Pauses()
        self.stages: list[Stage] = []
        self.memory = 0.0
        self._left: list[Stage] = []
        self._rounds = 0
        self._began = (0.0, 0)  # seconds and images seen after the first round of the stage

    def attach(self, run_path: Path, trackers: Trackers) -> None:
        """Listen to the pauses."""
        super().attach(run_path, trackers)
        trackers.add(self.pauses)

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Find the stages."""
        self._left = stages_of(pl_module, 0, self.total_images)

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Go on to the next stage after some rounds, or after all there are."""
        if not self._left:
            return
        clock, stage = pl_module.clock, self._left[0]
        if batch.position + batch.images_shown != clock.position:
            return  # it was fetched before the jump, and not played
        _wait_for(pl_module.device)
        self._rounds += 1
        moment = time.monotonic() - self.trackers.paused, clock.images_seen
        if self._rounds == 1:
            self._began = moment
        if self._rounds < _STEPS and clock.images_seen < stage.end:
            return
        images = moment[1] - self._began[1]
        cost = (moment[0] - self._began[0]) / images if images else math.nan
        self.stages.append(replace(stage, seconds_per_image=cost))
        self.memory = memory_in_use(pl_module.device)
        self._jump(trainer, pl_module)

    def _jump(self, trainer: Trainer, module: GANModule) -> None:
        self._rounds = 0
        del self._left[0]
        module.clock.images_seen = self._left[0].begin if self._left else self.total_images
        module.clock.stand_still()
        loader = trainer.train_dataloader
        assert isinstance(loader, StepLoader)
        loader.restart(module.clock.position, module.clock.images_seen)


class _Pauses(Tracker):
    """The seconds of the last pause of each kind."""

    name = "the dry run"

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._now = ("", 0.0)

    def pause(self, what: str) -> None:
        """Take the time."""
        self._now = (what, time.monotonic())

    def go_on(self) -> None:
        """Note what it took."""
        self.seconds[self._now[0]] = time.monotonic() - self._now[1]


def stages_of(module: GANModule, begin: int, end: int) -> list[Stage]:
    """The parts of a training in which batch size, updates and resolution stay as they are, found by halving."""

    def kind(images_seen: int) -> object:
        return module.step_size(images_seen), module.step_resolution(images_seen), module.step_frames(images_seen)

    stages, last = [], end - 1
    while kind(begin) != kind(last):
        low, high = begin, last  # kinds do not come back
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if kind(middle) == kind(begin) else (low, middle)
        stages.append(Stage(begin, high))
        begin = high
    return [*stages, Stage(begin, end)]


def _wait_for(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _told(spec: Spec, rehearsal: _Rehearsal) -> list[str]:
    costs, parts = costs_of(rehearsal), seconds_needed(spec, rehearsal)
    if not costs:
        return ["dry run: all of it works; too short to tell the speed"]
    listed = ", ".join(f"{name} {duration(seconds)}" for name, seconds in parts.items())
    speeds = ", ".join(
        f"{1 / cost:,.0f}" + (f" from {s.begin / 1000:g} kimg" if len(costs) > 1 else "")
        for cost, s in zip(costs, rehearsal.stages, strict=True)
    )
    return [
        "dry run: rounds of each stage, samples, pictures and checkpoints work",
        f"images/s: {speeds}",
        f"memory: {rehearsal.memory:,.0f} MiB",
        f"time: about {duration(sum(parts.values()))} ({listed})",
    ]


def costs_of(rehearsal: _Rehearsal) -> list[float]:
    """Seconds of an image in each stage; none where the training is too short to tell."""
    known = [stage.seconds_per_image for stage in rehearsal.stages if not math.isnan(stage.seconds_per_image)]
    return [known[0] if math.isnan(s.seconds_per_image) else s.seconds_per_image for s in rehearsal.stages if known]


def seconds_needed(spec: Spec, rehearsal: _Rehearsal) -> dict[str, float]:
    """How long the whole training takes, and all of its pauses, by their kind."""
    stages = zip(costs_of(rehearsal), rehearsal.stages, strict=False)
    training = sum(cost * (stage.end - stage.begin) for cost, stage in stages)
    return {"training": training, **_pauses(spec, rehearsal.pauses.seconds)}


def _pauses(spec: Spec, seconds: Mapping[str, float]) -> dict[str, float]:
    """What all pauses of the training will take, by their kind; an evaluation grows with its samples."""
    scale = max(spec.evaluation.samples / SAMPLES, 1.0) if spec.evaluation else 1.0
    every = {
        "saving": (spec.checkpoint.every_kimg, 1.0),
        "drawing samples": (spec.snapshots.every_kimg if spec.snapshots else math.inf, 1.0),
        "evaluating": (spec.evaluation.every_kimg if spec.evaluation else math.inf, scale),
    }
    return {
        what: seconds[what] * times * math.ceil(spec.kimg / interval)
        for what, (interval, times) in every.items()
        if what in seconds
    }


def duration(seconds: float) -> timedelta:
    """Whole seconds, for people."""
    return timedelta(seconds=math.ceil(seconds))
