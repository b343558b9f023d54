"""`ganlab sweep`: workers on this machine, one process each, watched and replaced, until all trials have ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ganlab.studies.numbers import shown
from ganlab.sweeps.command import override
from ganlab.sweeps.devices import environment_for
from ganlab.sweeps.file import SweepFile
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.opening import LEASE_SECONDS, begin_study, open_study
from ganlab.sweeps.processes import kill, start
from ganlab.sweeps.results import SweepResults, read_sweep
from ganlab.sweeps.storage import shown as shown_url
from ganlab.sweeps.study import SweepStudy
from ganlab.sweeps.worker import Stopping, Worker

if TYPE_CHECKING:
    from ganlab.sweeps.checking import SweepCheck  # which needs torch; a worker does not

_GLANCE = 0.2
_REPLACEMENTS = 3  # of a worker that was killed, in a row

STORAGE_VARIABLE = "GANLAB_SWEEP_STORAGE"
"""By which workers get the database's URL, as a password on a command line is everybody's to read."""


@dataclass(frozen=True)
class SweepOptions:
    """How a sweep is run on this machine; `devices` are GPUs as `CUDA_VISIBLE_DEVICES` names them."""

    runs: Path
    workers: int = 1
    storage: str | None = None
    lease_seconds: float = LEASE_SECONDS
    search_seed: int = 0
    devices: tuple[str, ...] = ()


def folder_of(sweep: SweepFile, runs: Path) -> SweepFolder:
    """Where a sweep lives."""
    return SweepFolder((runs / "sweeps" / sweep.name).resolve())


def run_sweep(check: SweepCheck, options: SweepOptions) -> tuple[SweepResults, int | None]:
    """Begin a checked sweep or go on with it; its results, and the signal that ended it early, if any."""
    folder, study = begin_sweep(check, options)
    with Stopping().listening() as stopping:
        if options.workers == 1:
            Worker(folder, study, stopping, environment_for(options.devices, 0, 1)).work()
        else:
            _Workers(folder, options, stopping).watch()
    return read_sweep(folder.path, options.storage), stopping.received


def begin_sweep(check: SweepCheck, options: SweepOptions) -> tuple[SweepFolder, SweepStudy]:
    """Make a checked sweep's folder and storage, or find them, without working on it.

    Raises `UserError` where the folder or the database cannot be used, or where the sweep was begun differently.
    """
    folder = folder_of(check.sweep, options.runs)
    record = {
        "name": check.sweep.name,
        "storage": options.storage and shown_url(options.storage),
        "working_directory": str(Path.cwd()),
        "search_seed": options.search_seed,
        "specs": check.specs,
    }
    return folder, begin_study(folder, check.sweep, record, options.storage, options.lease_seconds)


def work_on(folder: SweepFolder, storage: str | None, lease_seconds: float, given: Mapping[str, str]) -> int | None:
    """One worker for a sweep that was begun; the signal that ended it early, if any."""
    with Stopping().listening() as stopping:
        study = open_study(folder, storage or os.environ.get(STORAGE_VARIABLE), lease_seconds)
        Worker(folder, study, stopping, given).work()
    return stopping.received


class _Workers:
    """The worker processes; one that is killed is replaced, so that somebody goes on with its trial."""

    def __init__(self, folder: SweepFolder, options: SweepOptions, stopping: Stopping) -> None:
        self.folder = folder
        self.options = options
        self.stopping = stopping
        self._deaths: Counter[int] = Counter()
        self._processes = {index: self._start(index) for index in range(options.workers)}

    def watch(self) -> None:
        """Wait until all have ended; pass a signal on, and a second one as a kill."""
        asked = False
        while self._processes:
            if self.stopping.again:
                for process in self._processes.values():
                    kill(process)
            elif self.stopping.received is not None and not asked:
                asked = True
                for process in self._processes.values():
                    process.terminate()
            for index, process in list(self._processes.items()):
                if process.poll() is not None:
                    self._ended(index, process.returncode)
            time.sleep(_GLANCE)

    def _ended(self, index: int, code: int) -> None:
        process = self._processes.pop(index)
        if code == 0 or self.stopping.received is not None:
            return
        self._deaths[index] += 1
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        again = self._deaths[index] <= _REPLACEMENTS
        what = "another takes its place" if again else "it has been replaced too often, and is not again"
        print(f"ganlab: worker {index} (process {process.pid}) {how}; {what}", file=sys.stderr, flush=True)
        if again:
            self._processes[index] = self._start(index)

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "ganlab", "sweep", "work", str(self.folder.path)]
        command += ["--lease", str(self.options.lease_seconds)]
        given = environment_for(self.options.devices, index, self.options.workers)
        storage = {STORAGE_VARIABLE: self.options.storage} if self.options.storage else {}
        return start(command, {**os.environ, **given, **storage})


def end_lines(results: SweepResults) -> list[str]:
    """What became of the trials, the best, and what to do next; for people."""
    states = Counter(trial.state for trial in results.trials)
    planned = "" if results.planned is None else f" of {results.planned}"
    told = ", ".join(f"{number} {state}" for state, number in states.most_common())
    lines = [f"{'trials':14s} {len(results.trials)}{planned}" + (f": {told}" if told else "")]
    lines += [f"{'':14s} trial {t.number} failed: {t.reason}" for t in results.trials if t.state == "failed"]
    if (best := results.best) is not None and best.best is not None:
        values = [override(key, best.parameters[key]) for key in results.varied if key in best.parameters]
        seed = [] if best.seed is None else [override("seed", best.seed)]
        at = f"at {best.best.images_seen / 1000:g} kimg"
        lines.append(f"{'best':14s} trial {best.number}: {results.metric} {shown(best.best.value)} {at}")
        lines.append(f"{'':14s} {' '.join([*values, *seed])}")
    lines.append(f"{'next':14s} ganlab sweep show {_short(results.folder)}")
    return lines


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
