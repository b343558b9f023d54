"""What changes once an update, however many parts and ranks share a batch."""

from __future__ import annotations

from torch import Tensor, nn


class Committed(nn.Module):
    """State that takes in once an update what the passes of all parts and ranks have shown it.

    A subclass notes what it is shown, changes nothing, and waits: the platform calls `commit` when the update has been
    made, and `discard` when it is left out. Its buffers are saved with the run and equal on all ranks.
    """

    def commit(self, refused: Tensor | None = None) -> None:
        """Take in what was noted, unless `refused`, a flag on the device, is true. Every rank calls it, every time."""
        raise NotImplementedError

    def discard(self) -> None:
        """Forget what was noted."""
        raise NotImplementedError
