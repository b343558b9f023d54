"""Workers as jobs of a cluster, submitted by submitit: SLURM, or this machine to try it out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge
from pydantic import BaseModel, ConfigDict, ValidationError

from ganlab.errors import UserError, reason
from ganlab.spec.yaml_reader import read_yaml
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.processes import start
from ganlab.sweeps.running import STORAGE_VARIABLE

_GLANCE = 0.5  # seconds


class JobOptions(BaseModel):
    """The file of `--slurm`: how many jobs, and what submitit is told of each (`timeout_min`, `slurm_partition`, ...).

    Each job is one worker. `requeues` is how often a job that ran out of time is put into the queue again.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    jobs: Annotated[int, Ge(1)] = 1
    cluster: Literal["slurm", "local"] = "slurm"
    requeues: Annotated[int, Ge(0)] = 100

    @property
    def of_submitit(self) -> dict[str, Any]:
        """What is left for submitit."""
        return dict(self.model_extra or {})


@dataclass
class SweepJob:
    """What a job does: one worker for the sweep in a folder; submitit pickles it.

    Submitit ignores SIGTERM and takes SIGUSR2 for "save and put me into the queue again". The worker is a process in
    a session of its own, so that submitit's handlers are not in its way: at either signal it gets SIGTERM from here and
    hands it to its training, which writes a checkpoint, and the job that comes after this one goes on with the trial.
    """

    folder: str
    lease: float
    _worker: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __call__(self) -> int:
        """Work until no trial is left; the worker's exit code."""
        command = [sys.executable, "-m", "ganlab", "sweep", "work", self.folder, "--lease", str(self.lease)]
        self._worker = worker = start(command, os.environ)
        signal.signal(signal.SIGTERM, lambda number, frame: worker.terminate())
        while worker.poll() is None:  # `wait` would keep a lock from the signal's handler
            time.sleep(_GLANCE)
        return worker.returncode

    def checkpoint(self) -> Any:
        """End the worker after its training's checkpoint; what the next job does, which is the same."""
        from submitit.helpers import DelayedSubmission

        if self._worker is not None and self._worker.returncode is None:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(self._worker.pid, signal.SIGTERM)
                os.waitpid(self._worker.pid, 0)
        return DelayedSubmission(SweepJob(self.folder, self.lease))


def read_job_options(path: Path) -> JobOptions:
    """The options of a file. Raises `UserError` for what cannot be one."""
    try:
        content = read_yaml(path.read_text(encoding="utf-8-sig"), str(path)).plain()
    except OSError as error:
        raise UserError(f"cannot read the options of jobs '{path}': {reason(error)}") from None
    if not isinstance(content, Mapping):
        raise UserError(f"{path}: the options of jobs are a mapping, such as 'jobs: 8' and 'timeout_min: 240'")
    try:
        return JobOptions.model_validate(dict(content))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{path}: {place}: {first['msg']}, not {first['input']!r}") from None


def submit_workers(folder: SweepFolder, options: JobOptions, storage: str | None, lease: float) -> list[str]:
    """Submit the jobs of a sweep that was begun, and give their numbers; their output is in the sweep's `jobs`.

    Raises `UserError` where submitit is missing, does not know an option, or finds no cluster.
    """
    try:
        import submitit
    except ImportError:
        raise UserError("jobs of a cluster need submitit: pip install 'ganlab[slurm]'") from None
    if storage is not None:
        os.environ[STORAGE_VARIABLE] = storage  # jobs inherit the environment; their files are others' to read
    limit = {f"{options.cluster}_max_num_timeout": options.requeues}
    try:
        executor = submitit.AutoExecutor(folder.path / "jobs" / "%j", cluster=options.cluster, **limit)
        executor.update_parameters(**{"name": f"sweep-{folder.path.name}", **options.of_submitit})
        with executor.batch():
            jobs = [executor.submit(SweepJob(str(folder.path), lease)) for _ in range(options.jobs)]
    except (NameError, AssertionError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise UserError(f"the jobs cannot be submitted: {' '.join(str(error).split())}") from error
    return [str(job.job_id) for job in jobs]
