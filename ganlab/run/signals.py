"""SIGTERM and Ctrl-C: an end at once where that loses nothing, and after the step that is under way where it would."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from ganlab.errors import Interrupted

if TYPE_CHECKING:
    from ganlab.training.module import GANModule

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class SignalWatch:
    """Takes both signals of this process while it listens; in other threads than the main one it hears nothing.

    Outside of training a signal raises `Interrupted` at once. During training it sets a flag, on which the ranks agree
    within the next step's exchange of gradients; the checkpoint is then whole and the same on all. A second Ctrl-C
    always interrupts at once.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self._module: GANModule | None = None
        self._at_once = False

    @contextmanager
    def listening(self) -> Iterator[SignalWatch]:
        """Listen, and give the signals back to whoever had them."""
        before = {number: signal.getsignal(number) for number in SIGNALS}
        self.listen()
        try:
            yield self
        finally:
            if _in_main_thread():
                for number, handler in before.items():
                    signal.signal(number, handler)

    def listen(self) -> None:
        """Take the signals, in place of Lightning's handler, which talks to the other ranks in mid-step."""
        if _in_main_thread():
            for number in SIGNALS:
                signal.signal(number, self._on_signal)

    def begin_training(self, module: GANModule) -> None:
        """Let signals wait for the end of a step from here on."""
        self._module = module
        self.listen()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Work that a signal may break off, by `Interrupted`: nothing is lost, as it can be done again."""
        if self.received is not None:
            raise Interrupted(self.received)
        self._at_once = True
        try:
            yield
        finally:
            self._at_once = False

    def _on_signal(self, number: int, frame: FrameType | None) -> Any:
        again = number == signal.SIGINT and self.received is not None
        self.received = number
        if self._module is not None:
            self._module.interrupt_requested = True
        if self._module is None or self._at_once or again:
            raise Interrupted(number)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
