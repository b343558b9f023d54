"""Keeps the axis of images from running backwards in services that cannot take back what they were told."""

from __future__ import annotations

from pathlib import Path

from ganlab.tracking.jsonl import newest_moment


class ForwardAxis:
    """Lets each moment through once: what is told again after a rollback or a resume is left out until there is news.

    The moment that was reached last is let through again, as not everything of it may have been told.
    """

    def __init__(self, reached: int = -1) -> None:
        self._reached = reached
        self._from = reached

    @classmethod
    def of_run(cls, run_path: Path) -> ForwardAxis:
        """Go on where the files of a run's folder end."""
        return cls(newest_moment(run_path))

    def admits(self, images_seen: int) -> bool:
        """Whether what happens at a moment is news."""
        self._reached = max(self._reached, images_seen)
        return images_seen >= self._from

    def skip_to(self, images_seen: int) -> None:
        """The service has everything before this moment."""
        self._from = max(self._from, images_seen)

    def rewind(self) -> None:
        """Training goes on from an earlier moment."""
        self._from = self._reached
