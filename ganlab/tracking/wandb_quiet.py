"""No traceback of wandb's own in the terminal: one line has told what does not work."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any


def silence_tracebacks() -> None:
    """From here on, for this process."""
    _silence_log_errors()
    _silence_threads()
    atexit.register(leave_quietly)


def leave_quietly() -> None:
    """Let no traceback end a run whose W&B process was killed: one line has told of it.

    It runs at the exit before wandb's own work there, which was registered earlier.
    """
    tell = sys.unraisablehook

    def hook(raised: Any) -> None:
        if not str(getattr(raised.object, "__module__", "")).startswith("wandb."):
            tell(raised)

    sys.unraisablehook = hook


def _silence_threads() -> None:
    """Let no traceback come from wandb's own threads, as where it was torn down while a server does not answer."""
    tell = threading.excepthook

    def hook(raised: Any) -> None:
        if not _is_from_wandb(raised.exc_traceback):
            tell(raised)

    threading.excepthook = hook


def _is_from_wandb(raised: TracebackType | None) -> bool:
    modules = (str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(raised))
    return any(module.startswith("wandb.") for module in modules)


def _silence_log_errors() -> None:
    """A failed write to wandb's own debug log must not fill the terminal with tracebacks."""
    for handler in logging.getLogger("wandb").handlers:
        handler.handleError = lambda record: None  # type: ignore[method-assign]
