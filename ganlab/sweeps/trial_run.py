"""One session of a trial: its process, its metric, and why it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ganlab.errors import reason
from ganlab.files import write_text_atomically
from ganlab.studies.numbers import Point
from ganlab.sweeps.command import PARAMETERS, trial_command
from ganlab.sweeps.file import SweepFile
from ganlab.sweeps.folder import newest_run
from ganlab.sweeps.orphan import note_process
from ganlab.sweeps.processes import kill, last_words, start
from ganlab.sweeps.results import best_of
from ganlab.sweeps.study import Claim
from ganlab.sweeps.target import Target
from ganlab.tracking.identity import SWEEP, TRIAL
from ganlab.tracking.wandb import STOP_NOTE

Stop = Literal["pruned", "signal", "lost"]
"""Why a worker stops a training: by the rule of early stopping, because it is stopped itself, or because the trial is
somebody else's or may be."""

_STOP_NOTE = "stopped-early"
"""The file in a trial's folder that tells its training that SIGTERM means the end, and not an interruption."""

_ASKED = (128 + signal.SIGTERM, 128 + signal.SIGINT)
_PATIENCE = 300.0  # seconds for the step under way and its checkpoint


@dataclass(frozen=True)
class Ending:
    """How a session ended; `left` is a trial that is to be gone on with."""

    state: Literal["finished", "stopped early", "failed", "left"]
    reason: str | None = None
    best: Point | None = None


class TrialRun:
    """A claimed trial's training; it is running from the start. Raises `OSError` if it cannot be started."""

    def __init__(self, sweep: SweepFile, claim: Claim, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.output = folder / "output.log"
        self.target = Target(sweep.metric.name)
        self._goal = sweep.metric.goal
        self._stop: Stop | None = None
        self._stopped_at = 0.0
        self._why: str | None = None
        self._began = time.monotonic()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _STOP_NOTE).unlink(missing_ok=True)
        values = sweep.values(claim.parameters, claim.seed)
        command = trial_command(sweep.keys.command, sweep.keys.program, values, folder)
        write_text_atomically(folder / PARAMETERS, json.dumps(values, indent=2) + "\n")
        with self.output.open("ab") as output:
            self._begin = output.tell()
            self.process: subprocess.Popen[bytes] = start(command, environment, output)
        note_process(folder, self.process.pid)

    @property
    def seconds(self) -> float:
        """How long the session has lasted."""
        return time.monotonic() - self._began

    @property
    def is_running(self) -> bool:
        """Whether the training goes on; one that was stopped and does not end is killed after a while."""
        if self._stop and time.monotonic() - self._stopped_at > _PATIENCE:
            kill(self.process)
        return self.process.poll() is None

    @property
    def is_stopping(self) -> bool:
        """Whether it was stopped."""
        return self._stop is not None

    def points(self) -> list[Point]:
        """The metric's values so far."""
        run = newest_run(self.folder)
        return self.target.read(run) if run else []

    def stop(self, cause: Stop, why: str | None = None) -> None:
        """Ask the training to write a checkpoint and end; a graver cause replaces the first."""
        if self._stop is None:
            if cause == "pruned":
                (self.folder / _STOP_NOTE).write_text(f"{why}\n", encoding="utf-8")
            self._stopped_at = time.monotonic()
            self.process.terminate()
        if self._stop is None or cause == "lost":
            self._stop, self._why = cause, why

    def kill(self) -> None:
        """End it at once; its last checkpoint is kept."""
        self._stop = self._stop or "signal"
        kill(self.process)

    def ending(self) -> Ending:
        """How it ended, once it has."""
        code, best = self.process.returncode, best_of(self.points(), self._goal)
        if self._stop == "pruned" and code != 0:
            return Ending("stopped early", self._why, best)
        if (self._stop is not None and code != 0) or code in _ASKED or code == -signal.SIGTERM:
            return Ending("left")  # a scheduler that pre-empts asks the training as well as us
        if code != 0:
            return Ending("failed", self._failure(code))
        if best is None:
            run = newest_run(self.folder)
            never_finite = f"the metric '{self.target.name}' was never finite"
            return Ending("failed", never_finite if self.points() else self.target.missing(run))
        return Ending("finished", None, best)

    def _failure(self, code: int) -> str:
        if code < 0:
            by = signal.Signals(-code).name
            hint = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
            return f"killed by {by}{hint}; its output is {self.output}"
        said = last_words(self.output, self._begin)
        return f"{said or 'it said nothing'} (exit code {code}; its output is {self.output})"


def environment_of(sweep: str, number: int, folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """What a trial's process finds in its environment: whose trial it is, and what it was given to work with."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    whose = {SWEEP: sweep, TRIAL: str(number), STOP_NOTE: str(folder / _STOP_NOTE)}
    return {**os.environ, "PATH": path, **given, **whose}


def cannot_start(error: OSError) -> Ending:
    """How a trial ended whose command does not run at all."""
    return Ending("failed", f"its command cannot be started: {error.filename or ''}: {reason(error)}")
