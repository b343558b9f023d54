"""SIGTERM and Ctrl-C: an end at once where that loses nothing, and after the step that is under way where it would."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import TYPE_CHECKING, Any

from ganlab.errors import Interrupted

if TYPE_CHECKING:
    from ganlab.training.module import GANModule

SIGNALS = (signal.SIGTERM, signal.SIGINT)

_PATIENCE = 3.0  # seconds for an end in order after a second Ctrl-C


class SignalWatch:
    """Takes both signals of this process, and `further` ones by their names, while it listens.

    In other threads than the main one it hears nothing.

    Outside of training a signal raises `Interrupted` at once. During training it sets a flag, on which the ranks agree
    within the next step's exchange of gradients; the checkpoint is then whole and the same on all. A second Ctrl-C
    always interrupts at once, and ends the process where it cannot be interrupted, as while it waits for another rank.
    """

    def __init__(self, further: Sequence[str] = ()) -> None:
        self.numbers = (*SIGNALS, *(signal.Signals[name] for name in further))
        self.received: int | None = None
        self._module: GANModule | None = None
        self._at_once = False
        self._interrupting = False

    @contextmanager
    def listening(self) -> Iterator[SignalWatch]:
        """Listen, and give the signals back to whoever had them."""
        before = {number: signal.getsignal(number) for number in self.numbers}
        self.listen()
        try:
            with _ending_by_force() if _in_main_thread() else nullcontext():
                yield self
        except Exception as error:
            # Libraries that are broken off in the middle of their import raise what they like.
            if self._interrupting:
                raise Interrupted(self.received or signal.SIGTERM) from error
            raise
        finally:
            if _in_main_thread():
                for number, handler in before.items():
                    signal.signal(number, handler)

    def listen(self) -> None:
        """Take the signals, in place of Lightning's handler, which talks to the other ranks in mid-step."""
        if _in_main_thread():
            for number in self.numbers:
                signal.signal(number, self._on_signal)

    def begin_training(self, module: GANModule) -> None:
        """Let signals wait for the end of a step from here on; one that a library has swallowed is not lost."""
        if self.received is not None:
            raise Interrupted(self.received)
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
            self._interrupting = True
            raise Interrupted(number)


@contextmanager
def _ending_by_force() -> Iterator[None]:
    """Let a thread hear of signals before Python does, which first waits for whatever library it is in."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    threading.Thread(target=_end_after_two, args=(heard,), daemon=True, name="ganlab-signals").start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(told)  # which ends the thread


def _end_after_two(heard: int) -> None:
    interrupts, end = 0, None
    with os.fdopen(heard, "rb", buffering=0) as numbers:
        while select.select([numbers], [], [], None if end is None else max(0.0, end - time.monotonic()))[0]:
            number = numbers.read(1)
            if not number:
                return
            interrupts += number[0] == signal.SIGINT
            end = time.monotonic() + _PATIENCE if end is None and interrupts == 2 else end
    os._exit(128 + signal.SIGINT)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
