"""When training ends: at the spec's length, or at a signal after the step that is under way."""

from __future__ import annotations

from typing import Any

from pytorch_lightning import Callback, Trainer

from ganlab.run.signals import SignalWatch
from ganlab.training.module import GANModule


class EndCallback(Callback):
    """Ends training when enough images were seen, or when any rank got SIGTERM or Ctrl-C.

    Signals wait for the end of a step from the first step on until the last files are written; whoever gives `signals`
    listens to them until then.
    """

    def __init__(self, total_images: int, signals: SignalWatch | None = None) -> None:
        self.total_images = total_images
        self.signals = signals

    def setup(self, trainer: Trainer, pl_module: GANModule, stage: str) -> None:  # type: ignore[override]
        """Take the signals back from Lightning."""
        if self.signals is not None:
            self.signals.listen()

    def on_train_start(self, trainer: Trainer, pl_module: GANModule) -> None:  # type: ignore[override]
        """Let signals wait; end at once if there is nothing to do."""
        if self.signals is not None:
            self.signals.begin_training(pl_module)
        trainer.should_stop |= pl_module.clock.images_seen >= self.total_images

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: GANModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop after this step if it is time to."""
        if pl_module.interrupted or pl_module.clock.images_seen >= self.total_images:
            trainer.should_stop = True
