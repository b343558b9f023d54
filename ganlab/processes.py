"""Processes that this one starts: they end when it does, and leave its signals to it."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def begin_loading_process(number: int = 0) -> None:
    """Set up a process that loads data: Ctrl-C and SIGTERM, which a group of processes gets at once, are its parent's.

    The parent needs the loader until it has written its checkpoint, and ends it then.
    """
    del number
    for ignored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    end_with_parent(os.getppid())


def end_with_parent(parent: int) -> None:
    """Let the system end this process when its parent, of this number, ends, however that is.

    Ends at once if the parent is gone already. It works on Linux alone.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
