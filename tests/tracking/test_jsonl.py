"""The two files of lines of JSON, also after crashes, resumes and rollbacks."""

import errno
import json
import os

import pytest

from ganlab.tracking.jsonl import JsonlTracker, measured_at, read_records

PROTOCOL = {"metric": "swd", "samples": 10}


def moments(path):
    return [record["images_seen"] for record in read_records(path)]


def test_a_line_has_the_moment_and_the_terms(tmp_path):
    tracker = JsonlTracker(tmp_path)
    tracker.scalars(1000, {"discriminator/loss": 0.5, "generator/loss": float("nan")})
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    record = json.loads(line, parse_constant=lambda name: None)
    assert list(record) == [
        "images_seen",
        "kimg",
        "seconds",
        "discriminator/loss",
        "generator/loss",
    ]
    assert record["kimg"] == 1.0
    assert record["generator/loss"] is None


def test_metrics_with_their_protocol_or_the_reason_for_none(tmp_path):
    tracker = JsonlTracker(tmp_path)
    tracker.metrics(2000, {"swd/16": 3.0}, PROTOCOL)
    tracker.metrics(2000, {}, PROTOCOL, "ValueError: broken")
    good, bad = read_records(tmp_path / "metrics.jsonl")
    assert good == {"images_seen": 2000, "kimg": 2.0, "swd/16": 3.0, "protocol": PROTOCOL}
    assert bad == {"images_seen": 2000, "kimg": 2.0, "error": "ValueError: broken", "protocol": PROTOCOL}


def test_resuming_drops_what_came_after_the_checkpoint_and_a_line_cut_short(tmp_path):
    tracker = JsonlTracker(tmp_path)
    for moment in (1000, 2000, 3000):
        tracker.scalars(moment, {"a": 1.0})
        tracker.metrics(moment, {}, PROTOCOL)
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"images_seen": 40')
    resumed = JsonlTracker(tmp_path, resumed_at=2000)
    resumed.begin()
    assert moments(tmp_path / "log.jsonl") == [1000, 2000]
    resumed.scalars(3000, {"a": 2.0})
    records = read_records(tmp_path / "log.jsonl")
    assert [record["images_seen"] for record in records] == [1000, 2000, 3000]
    assert records[-1]["seconds"] >= records[-2]["seconds"]
    assert moments(tmp_path / "metrics.jsonl") == [1000, 2000]


def test_a_rollback_drops_what_it_took_back(tmp_path):
    tracker = JsonlTracker(tmp_path)
    for moment in (1000, 2000, 3000):
        tracker.scalars(moment, {"a": float(moment)})
        tracker.metrics(moment, {}, PROTOCOL)
    tracker.rewind(1000)
    for moment in (2000, 3000):  # the same moments, and other values
        tracker.scalars(moment, {"a": moment + 1.0})
    records = read_records(tmp_path / "log.jsonl")
    assert [record["a"] for record in records] == [1000, 2001, 3001]
    assert moments(tmp_path / "metrics.jsonl") == [1000]


def test_a_new_run_starts_with_empty_files(tmp_path):
    JsonlTracker(tmp_path).scalars(1000, {})
    JsonlTracker(tmp_path).begin()
    assert read_records(tmp_path / "log.jsonl") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "metrics.jsonl"]


def test_what_a_resumed_run_measures_again_has_one_line(tmp_path):
    """Killed in the middle of an evaluation's lines: those that are there stay, the others follow."""
    other = {"metric": "fid", "shape": [3, 4]}
    JsonlTracker(tmp_path).metrics(2000, {"swd": 1.0}, PROTOCOL)
    resumed = JsonlTracker(tmp_path, resumed_at=2000)
    resumed.begin()
    resumed.metrics(2000, {"swd": 1.0}, PROTOCOL)
    assert measured_at(tmp_path, 2000) == {"swd": {"swd": 1.0}}
    resumed.metrics(2000, {"fid": 2.0}, other)
    assert [record["protocol"] for record in read_records(tmp_path / "metrics.jsonl")] == [PROTOCOL, other]
    assert measured_at(tmp_path, 2000) == {"swd": {"swd": 1.0}, "fid": {"fid": 2.0}}
    assert measured_at(tmp_path, 1000) == {}


def test_the_last_line_goes_where_its_values_are_in_the_checkpoint(tmp_path):
    tracker = JsonlTracker(tmp_path)
    for moment in (1000, 1500):
        tracker.scalars(moment, {})
        tracker.metrics(moment, {}, PROTOCOL)
    JsonlTracker(tmp_path, resumed_at=1500, logged_until=1499).begin()
    assert moments(tmp_path / "log.jsonl") == [1000]
    assert moments(tmp_path / "metrics.jsonl") == [1000, 1500]


@pytest.mark.parametrize("written", [0, 7])
def test_lines_that_cannot_be_written_come_with_the_next(tmp_path, monkeypatch, written):
    """A disk that is full after `written` bytes: no half line stays, and no line is lost."""
    tracker = JsonlTracker(tmp_path)
    tracker.scalars(1000, {})
    whole = (tmp_path / "log.jsonl").read_bytes()

    def write(descriptor, data, real=os.write):
        real(descriptor, data[:written])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write)
        for moment in (2000, 3000):
            with pytest.raises(OSError, match="No space"):
                tracker.scalars(moment, {})
        assert (tmp_path / "log.jsonl").read_bytes() == whole
    tracker.gap("samples/kimg-000002.png could not be written")
    tracker.scalars(4000, {})
    records = read_records(tmp_path / "log.jsonl")
    assert [record["images_seen"] for record in records] == [1000, 2000, 3000, 4000]
    assert [record.get("gaps") for record in records] == [
        None,
        None,
        None,
        ["samples/kimg-000002.png could not be written"],
    ]


def test_a_file_that_could_not_be_cut_at_the_start_is_cut_later(tmp_path, monkeypatch):
    tracker = JsonlTracker(tmp_path)
    for moment in (1000, 2000):
        tracker.scalars(moment, {})
    resumed = JsonlTracker(tmp_path, resumed_at=1000)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda descriptor: (_ for _ in ()).throw(OSError(errno.EIO, "I/O error")))
        with pytest.raises(OSError, match="I/O error"):
            resumed.begin()
    resumed.scalars(1500, {})
    assert moments(tmp_path / "log.jsonl") == [1000, 1500]
