"""What a tracker is, and how several of them follow one run without being able to end it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


class Tracker:
    """Follows one run, on rank 0 only; a subclass overrides what it wants to know. All moments are images seen."""

    name = "tracker"

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Means of the loss terms and other scalars since the last call, by names such as `discriminator/loss`."""

    def metrics(
        self, images_seen: int, values: Mapping[str, float], protocol: Mapping[str, Any], error: str | None = None
    ) -> None:
        """What one metric measured and how; `error` says why it measured nothing."""

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """A picture that was written."""

    def advance(self, images_seen: int) -> None:
        """A sign of life, several times a second."""

    def finish(self, status: str) -> None:
        """The end; `status` is `finished` or says why the run ended early."""


class Trackers(Tracker):
    """Several trackers as one. A tracker that raises is switched off with one warning; the run goes on."""

    name = "trackers"

    def __init__(self, trackers: Sequence[Tracker] = ()) -> None:
        self.active = list(trackers)

    def add(self, tracker: Tracker) -> None:
        """Let one more tracker follow from here on."""
        self.active.append(tracker)

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.scalars(images_seen, values))

    def metrics(
        self, images_seen: int, values: Mapping[str, float], protocol: Mapping[str, Any], error: str | None = None
    ) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.metrics(images_seen, values, protocol, error))

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.image(images_seen, name, path))

    def advance(self, images_seen: int) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.advance(images_seen))

    def finish(self, status: str) -> None:
        """Tell all; afterwards nobody follows any more."""
        self._tell(lambda tracker: tracker.finish(status))
        self.active = []

    def _tell(self, what: Callable[[Tracker], None]) -> None:
        for tracker in list(self.active):
            try:
                what(tracker)
            except Exception as error:  # a tracker must not end the run, whatever it raises
                self.active.remove(tracker)
                warn_off(tracker.name, error)


def warn_off(name: str, error: BaseException) -> None:
    """Say in one line that a tracker is switched off and why."""
    reason = str(error).strip().splitlines()
    logger.warning(
        "ganlab: warning: %s is switched off for this run, which goes on without it: %s: %s",
        name,
        type(error).__name__,
        reason[0] if reason else "no reason given",
    )
