"""What a tracker is, and how several of them follow one run without being able to end it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganlab.errors import reason

logger = logging.getLogger(__name__)

FINISHED, INTERRUPTED = "finished", "interrupted"
"""How a run ends that came to its end, and one that a signal ended after a checkpoint."""


class Tracker:
    """Follows one run, on rank 0 only; a subclass overrides what it wants to know. All moments are images seen."""

    name = "tracker"
    forgets = True  # what it was told while it failed; otherwise it catches up later

    def begin(self) -> None:
        """The run is about to start."""

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Means of the loss terms and other scalars since the last call, by names such as `discriminator/loss`."""

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """What one metric measured and how; `error` says why it measured nothing, `notes` how far to trust it."""

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """A picture that was written."""

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Something happened that a reader of the run wants to know: `kind` in a word or two, `text` as a sentence.

        `best` and `end` are kinds of the platform; `rollback` and those that begin with `warning` are urgent.
        """

    def rewind(self, images_seen: int) -> None:
        """Training went back to this moment; what came after it will come again, and be different."""

    def gap(self, what: str) -> None:
        """Something could not be kept that belongs to the run's record."""

    def pause(self, what: str) -> None:
        """Training waits for something else, told as in `evaluating`, until `go_on`."""

    def go_on(self) -> None:
        """Training goes on after a pause."""

    def advance(self, images_seen: int) -> None:
        """A sign of life, several times a second."""

    def finish(self, status: str) -> None:
        """The end; `status` is `FINISHED`, `INTERRUPTED`, or says what went wrong."""


class Trackers(Tracker):
    """Several trackers as one, none of which can end the run.

    A tracker that raises costs one warning and is tried again at the next occasion; the others are told of what is
    missing in it.
    """

    name = "trackers"

    def __init__(self, trackers: Sequence[Tracker] = ()) -> None:
        self.active = list(trackers)
        self.paused = 0.0  # seconds of all pauses up to now
        self._in_pause = False
        self._warned: set[str] = set()

    def add(self, tracker: Tracker) -> None:
        """Let one more tracker follow from here on."""
        self.active.append(tracker)

    def begin(self) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.begin())

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.scalars(images_seen, values), f"scalars of {images_seen} images")

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """Tell all."""
        self._tell(
            lambda tracker: tracker.metrics(images_seen, values, protocol, error, notes),
            f"metrics of {images_seen} images",
        )

    def image(self, images_seen: int, name: str, path: Path) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.image(images_seen, name, path), f"{name} of {images_seen} images")

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.event(images_seen, kind, text, values), f"{kind} at {images_seen} images")

    def rewind(self, images_seen: int) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.rewind(images_seen))

    def gap(self, what: str) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.gap(what))

    @contextlib.contextmanager
    def pausing(self, what: str) -> Iterator[None]:
        """Let training wait for something, whose time is none of the training's; a pause within another is its part."""
        if self._in_pause:
            yield
            return
        self._in_pause, begin = True, time.monotonic()
        self._tell(lambda tracker: tracker.pause(what))
        try:
            yield
        finally:
            self._in_pause, self.paused = False, self.paused + time.monotonic() - begin
            self._tell(lambda tracker: tracker.go_on())

    def advance(self, images_seen: int) -> None:
        """Tell all."""
        self._tell(lambda tracker: tracker.advance(images_seen))

    def finish(self, status: str) -> None:
        """Tell all; afterwards nobody follows any more."""
        self._tell(lambda tracker: tracker.finish(status))
        self.active = []

    def _tell(self, what: Callable[[Tracker], None], lost: str = "") -> None:
        for tracker in self.active:
            try:
                what(tracker)
            except (Exception, SystemExit) as error:  # a tracker must not end the run, whatever it raises
                self._note_failure(tracker, error, lost)

    def _note_failure(self, tracker: Tracker, error: BaseException, lost: str) -> None:
        if tracker.name not in self._warned:
            self._warned.add(tracker.name)
            warn(f"{tracker.name} cannot be written to", "the run goes on, and it is tried again", error)
        if lost and tracker.forgets:
            for other in self.active:
                with contextlib.suppress(Exception):
                    other.gap(f"{tracker.name}: {lost}: {type(error).__name__}: {reason(error)}")


def warn(what: str, consequence: str, error: BaseException) -> None:
    """Say in one line what does not work, why, and what follows."""
    logger.warning("ganlab: warning: %s: %s: %s; %s", what, type(error).__name__, reason(error), consequence)
