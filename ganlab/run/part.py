"""What the callbacks of a run have in common: its folder, its trackers, and that training may go back in time."""

from __future__ import annotations

import math
from pathlib import Path

from pytorch_lightning import Callback

from ganlab.tracking.tracker import Trackers
from ganlab.training.module import GANModule


class RunPart(Callback):
    """A callback that works in a run's folder and does each thing once at its moment, every `every_images`."""

    def __init__(self, every_images: float = math.inf) -> None:
        self.every_images = every_images
        self.folder: Path
        self.trackers = Trackers()
        self._done_at = -1

    def attach(self, run_path: Path, trackers: Trackers) -> None:
        """Take both; called before training starts, on every rank."""
        self.folder = run_path
        self.trackers = trackers

    def is_due(self, module: GANModule) -> bool:
        """Whether there is something to do after this step."""
        return module.clock.passed(self.every_images)

    def rewind(self, images_seen: int) -> None:
        """Take note that training goes on from an earlier moment: what came after it is to be done again."""
        self._done_at = min(self._done_at, images_seen)

    def first_time_at(self, images_seen: int) -> bool:
        """Whether nothing was done yet at this moment; from now on it was."""
        first = self._done_at != images_seen
        self._done_at = images_seen
        return first
