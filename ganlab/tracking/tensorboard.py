"""TensorBoard, in the event files that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganlab.tracking.tracker import Tracker


class TensorBoardTracker(Tracker):
    """Event files in the run folder's `tensorboard/`, with images seen as the step.

    Raises `ModuleNotFoundError` if TensorBoard is not installed.
    """

    name = "TensorBoard"

    def __init__(self, run_path: Path, resumed_at: int | None = None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        purge = None if resumed_at is None else resumed_at + 1
        self._writer: Any = SummaryWriter(str(run_path / "tensorboard"), purge_step=purge)  # type: ignore[no-untyped-call]

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Log the means."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, images_seen)

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Log the numbers under `metrics/`."""
        self.scalars(images_seen, {f"metrics/{name}": value for name, value in values.items()})

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """Log a picture."""
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        self._writer.add_image(name, pixels, images_seen, dataformats="HWC")

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Log the text by the event's kind."""
        self._writer.add_text(f"events/{kind}", text, images_seen)

    def finish(self, status: str) -> None:
        """Write out what is still in memory."""
        self._writer.close()
