"""A bound on the wait for wandb's own process, which misses now and then that it is to end.

The order to end travels behind answers to requests that were given up. Where one of these meets the closed connection
first, the process reads no further (seen with wandb 0.31 and a server that falls silent), and wandb waits for it for
ever.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator


def bound_exit(seconds: float) -> None:
    """From the end of the main thread on, wait no longer than this for wandb's process; then it is killed."""
    process = _process()
    if process is None:
        return

    def watch() -> None:
        threading.main_thread().join()
        _end(process, seconds)

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Kill wandb's process if what is done here, such as `wandb.teardown`, takes longer than this."""
    process = _process()
    if process is not None:
        threading.Thread(target=_end, args=(process, seconds), daemon=True).start()
    with contextlib.suppress(SystemExit):  # wandb's answer to a process of its own that was killed
        yield


def _process() -> subprocess.Popen[bytes] | None:
    """The process, for which wandb has no public name; None where it belongs to another program."""
    import wandb

    owned = wandb.setup().assert_service()._proc
    return None if owned is None else owned._process


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
