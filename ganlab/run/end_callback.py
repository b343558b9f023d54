"""When training ends: at the spec's length, or at a signal after the step that is under way."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

from pytorch_lightning import Callback, Trainer

from ganlab.training.module import GANModule

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class EndCallback(Callback):
    """Ends training when enough images were seen, or when any rank got SIGTERM or Ctrl-C.

    A signal only sets a flag, on which the ranks agree within the next step's gradient exchange; the checkpoint is
    then whole and the same on all. A second Ctrl-C interrupts at once.
    """

    def __init__(self, total_images: int) -> None:
        self.total_images = total_images
        self.signal: int | None = None
        self._module: GANModule | None = None

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Listen to signals, in place of Lightning's handler, which talks to the other ranks in mid-step."""
        self._module = pl_module
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, self._on_signal)
        trainer.should_stop = pl_module.clock.images_seen >= self.total_images

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop after this step if it is time to."""
        if pl_module.interrupted or pl_module.clock.images_seen >= self.total_images:
            trainer.should_stop = True

    def on_train_end(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Give the signals back."""
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        assert self._module is not None
        if number == signal.SIGINT and self.signal is not None:
            raise KeyboardInterrupt
        self.signal = number
        self._module.interrupt_requested = True
