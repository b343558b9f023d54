"""Processes that end with whoever started them, and are asked before they are killed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_TAIL = 2**14  # bytes


def ends_with_parent() -> Callable[[], None] | None:
    """What a new process does first, so that SIGTERM reaches it when its parent is killed; Linux alone can do this."""
    if not sys.platform.startswith("linux"):
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)

    return ask


def start(
    command: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """A process in a session of its own, so that Ctrl-C at the terminal reaches its parent alone."""
    return subprocess.Popen(
        list(command),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=ends_with_parent(),
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_words(output: Path, start: int) -> str:
    """The line of an output, from a place on, that says best why a process failed: what ganlab said, or the last."""
    try:
        with output.open("rb") as file:
            file.seek(max(start, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    ours = [line.removeprefix("ganlab: ") for line in said if line.startswith("ganlab: ")]
    errors = [line for line in ours if not line.startswith("warning:")]
    return (errors or said or [""])[-1]
