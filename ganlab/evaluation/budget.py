"""How long an evaluation in training may take, and what is left out for it."""

from __future__ import annotations

import time
from collections.abc import Mapping


class Budget:
    """Minutes of an evaluation; None is no limit. What would exceed it is left out, with a sentence that says so."""

    def __init__(self, minutes: float | None) -> None:
        self.minutes = minutes
        self._took: dict[str, float] = {}
        self.begin()

    def begin(self) -> None:
        """Start counting anew."""
        self._started = time.monotonic()

    def left(self) -> float:
        """Seconds that are left."""
        if self.minutes is None:
            return float("inf")
        return 60 * self.minutes - (time.monotonic() - self._started)

    def too_long(self, seconds: Mapping[str, float], others: float, done: int, total: int) -> dict[str, str]:
        """Which of several works to give up so that the rest can be done, the longest first, with the reasons.

        `seconds` is what each took for the `done` images of `total`, `others` what was spent on the images themselves.
        """
        to_come = (total - done) / max(done, 1)
        remaining = {name: spent * to_come for name, spent in seconds.items()}
        given_up: dict[str, str] = {}
        room = self.left() - others * to_come
        for name in sorted(remaining, key=lambda name: -remaining[name]):
            if sum(remaining.values()) <= room:
                break
            given_up[name] = self.reason(remaining.pop(name))
        return given_up

    def refuse(self, name: str) -> str | None:
        """Why not to begin a computation, by how long it took the last time; None if it may begin."""
        needed = self._took.get(name, 0.0)
        return self.reason(needed) if needed > self.left() else None

    def note(self, name: str, seconds: float) -> None:
        """Remember how long a computation took."""
        self._took[name] = seconds

    def reason(self, seconds: float) -> str:
        """The sentence for something that needs so many more seconds."""
        return (
            f"left out: it needs about {_told(seconds, 'more ')}, and of the {self.minutes:g} minutes of "
            f"'evaluation.budget_minutes' {_told(max(self.left(), 0))} are left"
        )


def _told(seconds: float, more: str = "") -> str:
    """A length of time in minutes, or in seconds where it is shorter than one."""
    return f"{seconds / 60:.1f} {more}minutes" if seconds >= 60 else f"{seconds:.1f} {more}seconds"
