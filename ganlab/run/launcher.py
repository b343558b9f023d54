"""Lightning's launcher of local processes, with watchers that end the whole run when one process dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from pytorch_lightning.strategies.launchers.subprocess_script import _SubprocessScriptLauncher

from ganlab.processes import end_with_parent

_GRACE = 15.0  # seconds for a process to end by its own error before it is killed


class WatchedLauncher(_SubprocessScriptLauncher):
    """Starts the local ranks; a rank that dies takes the others with it, with a sentence that says so.

    Lightning's own observer kills the main process at once and without a word to the user.
    """

    def launch(self, function: Callable[..., Any], *args: Any, trainer: Any = None, **kwargs: Any) -> Any:
        """Start the other ranks and their watcher, or watch the parent if this is one of them."""
        environment = self.cluster_environment
        environment.validate_settings(num_devices=self.num_processes, num_nodes=self.num_nodes)
        if environment.creates_processes_externally:
            if "GANLAB_LAUNCHED" in os.environ:
                parent = int(os.environ["GANLAB_LAUNCHED"])
                end_with_parent(parent)
                _start(_watch_parent, parent)
        else:
            os.environ["GANLAB_LAUNCHED"] = str(os.getpid())
            self._call_children_scripts()
            _start(_watch_children, self.procs)
        return function(*args, **kwargs)


def _start(watch: Callable[..., None], *args: Any) -> None:
    threading.Thread(target=watch, args=args, daemon=True, name="ganlab-watcher").start()


def _watch_children(processes: list[subprocess.Popen[bytes]]) -> None:
    while True:
        time.sleep(0.5)
        codes = [process.poll() for process in processes]
        failed = [(rank, code) for rank, code in enumerate(codes, start=1) if code]
        if failed:
            rank, code = failed[0]
            _end_run(f"rank {rank} ended with {_describe(code)}", processes, code)
        if all(code == 0 for code in codes):
            return


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    _end_run("rank 0 is gone", [], 1)


def _end_run(reason: str, processes: list[subprocess.Popen[bytes]], code: int) -> None:
    print(
        f"ganlab: {reason}; the run ends on all ranks. Its last checkpoint is kept: 'ganlab train ... --resume' goes "
        "on.",
        file=sys.stderr,
        flush=True,
    )
    time.sleep(_GRACE)
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    os._exit(code if 0 < code < 256 else 1)


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
