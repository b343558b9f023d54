"""`log.jsonl`, `metrics.jsonl`, `events.jsonl`: lines of JSON, whole at any time; the first two in order of images."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ganlab.files import write_text_atomically
from ganlab.tracking.tracker import Tracker


class JsonLines:
    """A file of records that each have `images_seen`.

    What cannot be written now, because the disk is full for example, raises `OSError` and is written with the next
    record; a line that was cut off is taken back first.
    """

    def __init__(self, path: Path, kept_until: int = -1) -> None:
        """Go on with a file up to a moment, or start anew without one."""
        self.path = path
        self._waiting: list[dict[str, Any]] = []
        self._cut: int | None = kept_until  # what came after this moment is still in the file
        self._size = 0

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; numbers that are not finite become null, which is JSON."""
        self._waiting.append(_finite(record))
        self.flush()

    def rewind(self, images_seen: int) -> None:
        """Drop what came after a moment."""
        self._waiting = [record for record in self._waiting if record["images_seen"] <= images_seen]
        self._cut = images_seen if self._cut is None else min(self._cut, images_seen)
        self.flush()

    def flush(self) -> None:
        """Write what is not in the file yet."""
        if self._cut is not None:
            kept = [record for record in read_records(self.path) if record["images_seen"] <= self._cut]
            write_text_atomically(self.path, _lines(kept))
            self._size = self.path.stat().st_size
            self._cut = None
        if self._waiting:
            self._write(_lines(self._waiting).encode())
            self._waiting.clear()

    def _write(self, text: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT)
        try:
            os.ftruncate(descriptor, self._size)
            os.lseek(descriptor, self._size, os.SEEK_SET)
            _write_all(descriptor, text)
            self._size += len(text)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, self._size)
            raise
        finally:
            os.close(descriptor)


class JsonlTracker(Tracker):
    """Writes these files of a run folder. Seconds count from the training's start, resumes and pauses included.

    `events.jsonl` is a diary: what was taken back by a rollback or a resume stays in it, each line says when it was
    written, and its last one is how the run ended, unless it was killed.

    `resumed_at` is the moment of the checkpoint that a run goes on from; `logged_until` is earlier where the last
    line of the log is about steps whose values are in the checkpoint, and in a later line, too.
    """

    name = "log.jsonl"
    forgets = False

    def __init__(self, run_path: Path, resumed_at: int | None = None, logged_until: int | None = None) -> None:
        start = -1 if resumed_at is None else resumed_at
        self.log = JsonLines(run_path / "log.jsonl", start if logged_until is None else logged_until)
        self.measured = JsonLines(run_path / "metrics.jsonl", start)
        before = [r for r in _readable(run_path / "log.jsonl") if r["images_seen"] <= start]
        self._started = time.monotonic() - (before[-1].get("seconds", 0.0) if before else 0.0)
        self._known = [r for r in _readable(run_path / "metrics.jsonl") if r["images_seen"] == start]
        self._gaps: list[str] = []
        self._events = run_path / "events.jsonl"
        self._moment = max(start, 0)

    def begin(self) -> None:
        """Cut both files to what is still true."""
        self.log.flush()
        self.measured.flush()

    def scalars(self, images_seen: int, values: Mapping[str, float]) -> None:
        """One line of the log."""
        self._moment = images_seen
        seconds = {"seconds": round(time.monotonic() - self._started, 3)}
        gaps, self._gaps = {"gaps": self._gaps} if self._gaps else {}, []
        self.log.append({"images_seen": images_seen, "kimg": images_seen / 1000, **seconds, **values, **gaps})

    def metrics(
        self,
        images_seen: int,
        values: Mapping[str, float],
        protocol: Mapping[str, Any],
        error: str | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        """One line for each metric; not a second one where a resumed run measures what was measured before."""
        known = json.loads(json.dumps(protocol))
        if not any((r["images_seen"], r.get("protocol")) == (images_seen, known) for r in self._known):
            self.measured.append(metric_record(images_seen, values, protocol, error, notes))

    def event(self, images_seen: int, kind: str, text: str, values: Mapping[str, Any] | None = None) -> None:
        """One line of the diary."""
        moment = {"images_seen": images_seen, "kimg": images_seen / 1000, "when": _now()}
        append_records(self._events, [{**moment, "kind": kind, "text": text, **(values or {})}])

    def rewind(self, images_seen: int) -> None:
        """Drop what was taken back."""
        self._moment = images_seen
        self.log.rewind(images_seen)
        self.measured.rewind(images_seen)

    def advance(self, images_seen: int) -> None:
        """Take note of the moment."""
        self._moment = images_seen

    def gap(self, what: str) -> None:
        """Name it in the next line of the log."""
        self._gaps.append(what)

    def finish(self, status: str) -> None:
        """Say how the run ended, and try a last time to write what could not be written before."""
        try:
            self.event(self._moment, "end", status)
        finally:
            self.log.flush()
            self.measured.flush()


def metric_record(
    images_seen: int,
    values: Mapping[str, float],
    protocol: Mapping[str, Any],
    error: str | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """What one metric measured at a moment, as it stands in `metrics.jsonl`."""
    remarks: dict[str, Any] = {} if error is None else {"error": error}
    remarks |= {"notes": list(notes)} if notes else {}
    moment = {"images_seen": images_seen, "kimg": images_seen / 1000}
    return {**moment, **values, **remarks, "protocol": dict(protocol)}


def read_records(path: Path) -> list[dict[str, Any]]:
    """The records of a file; a line that was cut off by a crash is left out, and so is a missing file."""
    if not path.exists():
        return []
    records = (_parse(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return [record for record in records if record is not None]


def append_records(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Add records to a file that nobody else rewrites, in one piece; a line that was cut off before stays alone."""
    text = _lines([_finite(record) for record in records]).encode()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        cut_off = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        _write_all(descriptor, (b"\n" if cut_off else b"") + text)
    finally:
        os.close(descriptor)


def logged_at(run_path: Path, images_seen: int) -> dict[str, Any]:
    """What `log.jsonl` has for a moment, in one mapping."""
    lines = [record for record in _readable(run_path / "log.jsonl") if record["images_seen"] == images_seen]
    return {name: value for record in lines for name, value in record.items()}


def measured_at(run_path: Path, images_seen: int) -> dict[str, dict[str, float]]:
    """The values that `metrics.jsonl` has for a moment, by metric and name; those of a metric that failed are none.

    Numbers that were not finite are nan.
    """
    measured = {}
    for record in _readable(run_path / "metrics.jsonl"):
        if record["images_seen"] == images_seen and isinstance(record.get("protocol"), dict):
            numbers = {name: math.nan if value is None else value for name, value in record.items()}
            values = {name: value for name, value in numbers.items() if isinstance(value, float | int)}
            del values["images_seen"], values["kimg"]
            measured[str(record["protocol"].get("metric"))] = values
    return measured


def measured_series(run_path: Path, name: str) -> list[tuple[int, float]]:
    """The moments, in images, at which `metrics.jsonl` has one number, and its values; those that are null are nan."""
    records = [record for record in _readable(run_path / "metrics.jsonl") if name in record]
    return [(r["images_seen"], math.nan if r[name] is None else float(r[name])) for r in records]


def newest_moment(run_path: Path) -> int:
    """The newest moment, in images, of which `log.jsonl` or `metrics.jsonl` has something; -1 where there is none."""
    records = [record for name in ("log.jsonl", "metrics.jsonl") for record in _readable(run_path / name)]
    return max((record["images_seen"] for record in records), default=-1)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _readable(path: Path) -> list[dict[str, Any]]:
    try:
        return read_records(path)
    except OSError:
        return []


def _parse(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except json.JSONDecodeError:
        return None
    return record if isinstance(record, dict) and "images_seen" in record else None


def _lines(records: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def _write_all(descriptor: int, text: bytes) -> None:
    while text:
        text = text[os.write(descriptor, text) :]


def _finite(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in record.items()
    }
