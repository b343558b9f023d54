"""`log.jsonl` and `metrics.jsonl`: one line of JSON for each moment, whole at any time and in order of images seen."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ganlab.files import write_atomically
from ganlab.tracking.tracker import Tracker


class JsonLines:
    """A file of records that each have `images_seen`. Appending an earlier moment drops what came after it."""

    def __init__(self, path: Path, resumed_at: int | None = None) -> None:
        """Go on with a file up to `resumed_at`, or start anew without it."""
        self.path = path
        self.last: dict[str, Any] = {}
        self._keep_until(-1 if resumed_at is None else resumed_at)

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; numbers that are not finite become null, which is JSON."""
        if record["images_seen"] < self.last.get("images_seen", 0):
            self._keep_until(record["images_seen"])  # the run was rolled back
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_finite(record)) + "\n")
        self.last = dict(record)

    def _keep_until(self, images_seen: int) -> None:
        kept = [record for record in read_records(self.path) if record["images_seen"] <= images_seen]
        self.last = kept[-1] if kept else {}
        text = "".join(json.dumps(record) + "\n" for record in kept)
        write_atomically(self.path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


class JsonlTracker(Tracker):
    """Writes both files of a run folder. Seconds and speed count training from its start, resumes included."""

    name = "log.jsonl"

    def __init__(self, run_path: Path, resumed_at: int | None = None) -> None:
        self.log = JsonLines(run_path / "log.jsonl", resumed_at)
        self.measured = JsonLines(run_path / "metrics.jsonl", resumed_at)
        self._started = time.monotonic() - self.log.last.get("seconds", 0.0)
        self._before = (time.monotonic(), resumed_at or 0)

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """One line of the log."""
        now = time.monotonic()
        elapsed, images = now - self._before[0], images_seen - self._before[1]
        self._before = (now, images_seen)
        speed = {"seconds": round(now - self._started, 3), "images_per_second": round(images / elapsed, 1)}
        self.log.append({"images_seen": images_seen, "kimg": images_seen / 1000, **speed, **values})

    def metrics(
        self, images_seen: int, values: Mapping[str, float], protocol: Mapping[str, Any], error: str | None = None
    ) -> None:
        """One line for each metric."""
        failure = {} if error is None else {"error": error}
        moment = {"images_seen": images_seen, "kimg": images_seen / 1000}
        self.measured.append({**moment, **values, **failure, "protocol": dict(protocol)})


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of a file; a line that was cut off by a crash is left out, and so is a missing file."""
    if not path.exists():
        return []
    records = (_parse(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [record for record in records if record is not None]


def _parse(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return None
    return record if isinstance(record, dict) and "images_seen" in record else None


def _finite(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in record.items()
    }
