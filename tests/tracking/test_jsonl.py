"""The two files of lines of JSON, also after crashes, resumes and rollbacks."""

import json

from ganlab.tracking.jsonl import JsonlTracker, read_records

PROTOCOL = {"metric": "swd", "samples": 10}


def moments(path):
    return [record["images_seen"] for record in read_records(path)]


def test_a_line_has_the_moment_the_speed_and_the_terms(tmp_path):
    tracker = JsonlTracker(tmp_path)
    tracker.scalars(1000, {"discriminator/loss": 0.5, "generator/loss": float("nan")})
    (line,) = (tmp_path / "log.jsonl").read_text().splitlines()
    record = json.loads(line, parse_constant=lambda name: None)
    assert list(record) == [
        "images_seen",
        "kimg",
        "seconds",
        "images_per_second",
        "discriminator/loss",
        "generator/loss",
    ]
    assert record["kimg"] == 1.0
    assert record["images_per_second"] > 0
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
    assert moments(tmp_path / "log.jsonl") == [1000, 2000]
    resumed.scalars(3000, {"a": 2.0})
    records = read_records(tmp_path / "log.jsonl")
    assert [record["images_seen"] for record in records] == [1000, 2000, 3000]
    assert records[-1]["seconds"] >= records[-2]["seconds"]
    assert moments(tmp_path / "metrics.jsonl") == [1000, 2000]


def test_a_rollback_drops_what_it_took_back(tmp_path):
    tracker = JsonlTracker(tmp_path)
    for moment in (1000, 2000, 3000, 1500, 2500):
        tracker.scalars(moment, {})
    assert moments(tmp_path / "log.jsonl") == [1000, 1500, 2500]


def test_a_new_run_starts_with_empty_files(tmp_path):
    JsonlTracker(tmp_path).scalars(1000, {})
    JsonlTracker(tmp_path)
    assert read_records(tmp_path / "log.jsonl") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.jsonl", "metrics.jsonl"]
