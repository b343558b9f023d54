"""The training that a dead worker leaves: it is ended before somebody else goes on with the trial."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from ganlab.files import read_mapping, write_text_atomically
from ganlab.run.lock import NAME, describe_process, may_live
from ganlab.sweeps.lease import Lease

_NOTE = "process.json"
_PATIENCE = 60.0  # seconds for the step under way and its checkpoint


def note_process(trial: Path, pid: int) -> None:
    """Note in a trial's folder which process trains there."""
    write_text_atomically(trial / _NOTE, json.dumps(describe_process(pid)) + "\n")


def end_orphan(trial: Path, before: Lease) -> None:
    """End what trains in a trial's folder for the worker that held it before, if it is on this machine.

    On another machine its worker has ended it before the lease ran out, or is dead together with the machine; what is
    left is the lock of the run.
    """
    here = socket.gethostname()
    if before["host"] != here:
        for lock in trial.glob(f"*/*/{NAME}"):
            if read_mapping(lock).get("host") == before["host"]:
                lock.unlink(missing_ok=True)
        return
    process = read_mapping(trial / _NOTE)
    until = time.monotonic() + _PATIENCE
    if process.get("host") == here and may_live(process):
        _signal(process, signal.SIGTERM)
        while may_live(process) and time.monotonic() < until:
            time.sleep(0.1)
        if may_live(process):
            _signal(process, signal.SIGKILL)


def _signal(process: dict[str, Any], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process["pid"], number)
