"""Who works on a trial, and whether that worker still lives."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ganlab.run.lock import may_live, this_process

Lease = Mapping[str, Any]

LEASE = "lease"
"""The attribute of a trial that says who works on it; null where nobody does."""


def new_lease(seconds: float) -> dict[str, Any]:
    """A lease of this process, to be renewed several times within its length in seconds."""
    return {**this_process(), "worker": uuid.uuid4().hex, "seconds": seconds, "beat": 0, "renewed": _now()}


def renewed(lease: Lease) -> dict[str, Any]:
    """The lease with one more sign of life."""
    return {**lease, "beat": int(lease["beat"]) + 1, "renewed": _now()}


def holder_of(lease: Lease) -> str:
    """Who holds it, for people."""
    where = "" if lease["host"] == socket.gethostname() else f" on {lease['host']}"
    return f"process {lease['pid']}{where}"


def worked(lease: Lease) -> float:
    """How many seconds its holder is known to have worked."""
    began, last = (datetime.fromisoformat(str(lease[key])) for key in ("started", "renewed"))
    return (last - began).total_seconds()


def seems_held(lease: Lease | None) -> bool:
    """Whether a worker works on the trial, as far as one look can tell; machines' clocks may differ by a lease."""
    if lease is None or not _lives_here(lease):
        return False
    age = datetime.now(UTC) - datetime.fromisoformat(str(lease["renewed"]))
    return age.total_seconds() < 2 * float(lease["seconds"])


class LeaseWatch:
    """Looks at leases again and again: one that is not renewed for its length by our own clock has run out.

    What clocks of other machines show does not matter.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._seen: dict[tuple[int, str], tuple[int, float]] = {}

    def is_held(self, number: int, lease: Lease | None) -> bool:
        """Whether a trial's lease still holds."""
        if lease is None or not _lives_here(lease):
            return False
        key, beat, now = (number, str(lease["worker"])), int(lease["beat"]), self._now()
        seen = self._seen.get(key)
        if seen is None or seen[0] != beat:
            self._seen[key] = (beat, now)
            return True
        return now - seen[1] < float(lease["seconds"])


def _lives_here(lease: Lease) -> bool:
    """False for a process of this machine that is dead; what other machines' do cannot be seen from here."""
    return may_live(dict(lease))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
