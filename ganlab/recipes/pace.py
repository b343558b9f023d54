"""How fast a training goes on this machine, by some rounds of it."""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning import Trainer

from ganlab.errors import Interrupted
from ganlab.run.part import RunPart
from ganlab.run.session import train
from ganlab.spec.model import Spec, TrackingSection
from ganlab.training.module import GANModule

_ROUNDS = 33  # with lazy penalties in them, at the intervals that are usual
_SECONDS = 12.0
_WARMING_UP = 2


def images_per_second(spec: Spec) -> float:
    """Measured from the third round on, for 12 seconds at most, in a folder that goes. Raises what a training does."""
    small = replace(
        spec,
        kimg=max(spec.kimg, _ROUNDS * spec.data.batch_size / 1000),
        evaluation=None,
        snapshots=None,
        diversity=None,
        tracking=TrackingSection(every_kimg=spec.kimg, progress=False),
    )
    watch = _StopWatch()
    with tempfile.TemporaryDirectory(prefix="ganlab-pace-") as folder, contextlib.redirect_stdout(io.StringIO()):
        outcome = train(small, Path(folder), more=[watch])
    if outcome.signal is not None:
        raise Interrupted(outcome.signal)
    return watch.images / watch.seconds


class _StopWatch(RunPart):
    """Measures rounds and ends the training when it has seen enough."""

    def __init__(self) -> None:
        super().__init__()
        self.images = 0
        self.seconds = 0.0
        self._began = (0, 0.0)

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Take the time, and stop after enough rounds or seconds."""
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        now, rounds = time.monotonic(), pl_module.clock.rounds
        if rounds <= _WARMING_UP:
            self._began = (pl_module.clock.images_seen, now)
            return
        self.images = pl_module.clock.images_seen - self._began[0]
        self.seconds = now - self._began[1]
        if rounds >= _ROUNDS or self.seconds >= _SECONDS:
            trainer.should_stop = True
