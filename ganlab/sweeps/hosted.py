"""A sweep whose search is on W&B's server: registered there, and worked on by W&B's own agents."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ganlab.errors import UserError, reason
from ganlab.sweeps.file import SweepFile
from ganlab.tracking.identity import SWEEP
from ganlab.tracking.wandb import PREEMPTION_NOTE
from ganlab.tracking.wandb_mode import problem_with_server

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_hosted(
    sweep: SweepFile,
    *,
    agents: int = 1,
    project: str | None = None,
    entity: str | None = None,
    count: int | None = None,
) -> int:
    """Register a sweep, start so many agents on this machine, wait for them, and give the exit code.

    `wandb agent` with the address that is printed does the same on any other machine that has the sweep's specs.
    SIGTERM and Ctrl-C reach the trainings, which write a checkpoint; W&B gives them to an agent again. Each agent ends
    after `count` trials. Raises `UserError` where no server can be reached, or does not take the sweep.
    """
    _check_values(sweep)
    problem = problem_with_server()
    if problem is not None:
        raise UserError(f"W&B's sweeps need its server: {problem}; 'ganlab sweep {sweep.path}' works without one")
    address = register(sweep, project, entity)
    print(f"{'sweep':14s} {address}\n{'more agents':14s} wandb agent {address}", flush=True)
    return _run_agents(sweep, address, agents, count)


def _check_values(sweep: SweepFile) -> None:
    for key, parameter in sweep.parameters.items():
        if None in getattr(parameter, "values", ()) or getattr(parameter, "value", "") is None:
            raise UserError(
                f"{sweep.path}: '{key}' has the value null, which W&B's agents write as 'None', a text; leave the key "
                "out, or vary the spec instead (parameter 'spec')"
            )


def register(sweep: SweepFile, project: str | None = None, entity: str | None = None) -> str:
    """The address `entity/project/id` of a sweep that W&B's server now knows."""
    import wandb

    content = {**sweep.content, "name": sweep.name}
    project = project or sweep.keys.project or "ganlab"
    try:
        identity = wandb.sweep(content, entity=entity or sweep.keys.entity, project=project)
    except (wandb.errors.Error, ValueError) as error:
        raise UserError(f"W&B's server does not take the sweep {sweep.path}: {reason(error)}") from error
    owner = os.environ.get("WANDB_ENTITY")  # set by wandb.sweep to what the server says
    return "/".join(filter(None, (owner, os.environ.get("WANDB_PROJECT", project), identity)))


def _run_agents(sweep: SweepFile, address: str, agents: int, count: int | None) -> int:
    with tempfile.TemporaryDirectory(prefix="ganlab-") as folder:
        note = Path(folder) / "preempted"
        command = [sys.executable, "-m", "wandb", "agent", "--forward-signals", address]
        command += [] if count is None else ["--count", str(count)]
        environment = _environment(sweep, note)
        # Each in a session of its own, so that the terminal's Ctrl-C reaches it once, from here.
        started = [subprocess.Popen(command, env=environment, start_new_session=True) for _ in range(agents)]
        with _passing_on_signals(started, note) as received:
            codes = [process.wait() for process in started]
    if received:
        return 128 + received[0]
    return 1 if any(codes) else 0


def _environment(sweep: SweepFile, note: Path) -> Mapping[str, str]:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {
        **os.environ,
        "PATH": programs,  # `ganlab` in the sweep's command is this one
        SWEEP: sweep.name,
        PREEMPTION_NOTE: str(note),
        # An agent takes a trial that was stopped early for one that failed, and gives up after some.
        "WANDB_AGENT_DISABLE_FLAPPING": "true",
        "WANDB_AGENT_MAX_INITIAL_FAILURES": str(10**9),
    }


@contextmanager
def _passing_on_signals(processes: Sequence[subprocess.Popen[bytes]], note: Path) -> Iterator[list[int]]:
    """Hand signals on to agents, after a note by which trials tell them from an early stop; yields those received."""
    received: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> Any:
        received.append(number)
        note.touch()
        for process in processes:
            process.send_signal(signal.SIGTERM)

    before = {number: signal.signal(number, pass_on) for number in _SIGNALS}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
