"""The list of runs, what is shown of one, and how they go."""

from __future__ import annotations

import json
import os
import socket

import pytest
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import RunError, UserError
from ganlab.run.folder import open_run
from ganlab.run.lock import NAME, RunLock
from ganlab.studies.record import RunRecord, all_runs, find_runs, last_record, newest_of
from ganlab.studies.removal import plan_removal
from ganlab.studies.run_list import row_of
from ganlab.studies.state import state_of
from tests.studies.made import PROTOCOL, make_run, write_lines


@pytest.fixture
def runs(tmp_path):
    return tmp_path / "runs"


def ganlab(*arguments, given=None):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=given)
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_run_is_told_by_its_lock_and_its_diary(runs) -> None:
    run = make_run(runs)
    assert (state_of(RunRecord(run)).word, state_of(RunRecord(run)).text) == ("finished", "3 of 3 kimg")
    lock = RunLock(run)
    assert state_of(RunRecord(run)).word == "running"
    lock.release()
    dead = {"host": socket.gethostname(), "pid": os.getpid(), "born": 1}
    (run / NAME).write_text(json.dumps(dead))
    assert state_of(RunRecord(run)).word == "died"
    assert "--resume" in state_of(RunRecord(run)).text
    (run / NAME).write_text(json.dumps(dead | {"host": "another"}))
    assert state_of(RunRecord(run)).word == "running", "nobody can know here"
    (run / NAME).write_text("{")
    assert state_of(RunRecord(run)).word == "died", "killed while it wrote the lock"


@pytest.mark.parametrize(
    ("events", "kimg", "word", "text"),
    [
        ((("end", "interrupted"),), 3.0, "stopped", "interrupted, at 3 of 3 kimg"),
        ((("end", "interrupted"), ("end", "finished")), 3.0, "finished", "3 of 3 kimg"),
        ((("patience", "no lower one"), ("end", "finished")), 9.0, "finished", "no lower one"),
        ((), 3.0, "finished", "3 of 3 kimg"),
        ((), 9.0, "stopped", "at 3 of 9 kimg"),
    ],
)
def test_how_a_run_ended(runs, events, kimg, word, text) -> None:
    state = state_of(RunRecord(make_run(runs, events=events, kimg=kimg)))
    assert (state.word, state.text) == (word, text)


def test_a_row_has_what_matters(runs) -> None:
    row = row_of(RunRecord(make_run(runs)))
    assert row.best == [{"name": "swd/average", "value": 4.0, "kimg": 2.0}]
    cells = row.cells()
    assert cells[:5] == ("tiny/20260101-000000", "finished", "3/3", "0:01:15", "swd/average 4 (2)")
    apparent = {os.stat(path).st_ino: os.stat(path).st_size for path in runs.rglob("*") if path.is_file()}
    assert row.size == sum(apparent.values())


def test_the_list(runs, monkeypatch) -> None:
    assert f"there is no run under {runs}" in ganlab("runs", "--runs", runs).stdout
    make_run(runs, "20260101-000000")
    make_run(runs, "20260102-000000", swd=(3.0,))
    make_run(runs, name="other")
    for text, sentence in (("a: [1", "this is not YAML"), ("[]", "no resolved spec"), ("kimg: no", "no resolved spec")):
        (runs / "other" / "20260101-000000" / "spec.yaml").write_text(text)
        listed = ganlab("runs", "--runs", runs)
        assert "left out" in listed.stderr
        assert sentence in listed.stderr
    lines = listed.stdout.splitlines()
    assert lines[0].split() == ["run", "state", "kimg", "time", "best", "size"]
    assert [line.split()[0] for line in lines[1:]] == ["tiny/20260101-000000", "tiny/20260102-000000"]
    monkeypatch.chdir(runs.parent)
    (first, second) = json.loads(ganlab("runs", "--name", "tiny", "--json").stdout)
    assert first["state"] == "finished"
    assert second["best"][0]["value"] == 3.0
    told = ganlab("runs", "show", "tiny").stdout
    assert "swd/average    last 3 at 1 kimg, best 3 at 1 kimg" in told
    assert "last.ckpt  1 kB" in told
    assert json.loads(ganlab("runs", "show", "tiny", "--json").stdout)["provenance"]["git"]["commit"] == "c0ffee"


def test_a_long_name_moves_what_is_told_of_all(runs, monkeypatch) -> None:
    run, name = make_run(runs), "swd/a-long-name-of-a-number"
    with (run / "evaluations.jsonl").open("w") as file:
        file.write(json.dumps({"images_seen": 3000, "kimg": 3.0, name: 1.0, "protocol": PROTOCOL}) + "\n")
    monkeypatch.chdir(runs.parent)
    lines = ganlab("runs", "show", "tiny").stdout.splitlines()
    (told,) = [line for line in lines if line.startswith(name)]
    assert told.index("last") == len(name) + 1
    assert lines[0] == f"{'run':{len(name)}s} {run}"


def test_numbers_of_two_protocols_are_told_apart(runs, monkeypatch) -> None:
    run = make_run(runs)
    with (run / "evaluations.jsonl").open("w") as file:
        line = {"images_seen": 3000, "kimg": 3.0, "swd/average": 1.0, "protocol": PROTOCOL | {"samples": 7}}
        file.write(json.dumps(line) + "\n")
    monkeypatch.chdir(runs.parent)
    first, second = [line for line in ganlab("runs", "show", "tiny").stdout.splitlines() if line.startswith("swd/")]
    assert "protocol" not in first
    assert second.endswith("last 1 at 3 kimg, best 1 at 3 kimg, by another protocol (samples)")


def test_runs_are_found_by_folder_and_name(runs, monkeypatch) -> None:
    first, second = make_run(runs, "20260101-000000"), make_run(runs, "20260102-000000")
    other = make_run(runs, name="other")
    monkeypatch.chdir(runs.parent)
    assert [record.path for record in find_runs(["tiny", str(first)])] == [first, second]
    assert [record.path for record in newest_of(["tiny", "other"])] == [second, other]
    assert [record.path for record in find_runs(["tiny/20260102-000000"])] == [second]
    assert [record.path for record in all_runs(runs)] == [other, first, second]
    with pytest.raises(RunError, match=r"'tinny' is no run: .*name of an experiment under"):
        find_runs(["tinny"])


def test_the_end_of_a_log_is_read_alone(tmp_path) -> None:
    path = tmp_path / "log.jsonl"
    assert last_record(path) == {}
    write_lines(path, [(n, {"filling": "x" * 1000}) for n in range(200)])
    with path.open("a") as file:
        file.write('{"images_seen": 9')  # cut off by a crash
    assert last_record(path)["images_seen"] == 199


def test_removal_asks_and_keeps_what_is_named(runs) -> None:
    first, second, third = (make_run(runs, f"2026010{day}-000000") for day in (1, 2, 3))
    refused = ganlab("runs", "rm", "tiny", "--runs", runs, given="n\n")
    assert refused.exit_code == 1
    assert all(run.exists() for run in (first, second, third))
    ganlab("runs", "rm", "tiny", "--runs", runs, "--keep", second.name, "--keep", "*.jsonl", given="y\n")
    assert sorted(path.name for path in first.iterdir()) == ["events.jsonl", "log.jsonl", "metrics.jsonl"]
    assert (second / "checkpoints" / "last.ckpt").exists()
    ganlab("runs", "rm", second, "--keep", "checkpoints/last.ckpt", "--yes")
    assert [path.name for path in second.rglob("*") if path.is_file()] == ["last.ckpt"]
    last = make_run(runs, name="single")
    ganlab("runs", "rm", last, "--yes")
    assert not last.parent.exists()


def test_a_folder_here_does_not_stand_for_a_run_under_another_root(runs, tmp_path, monkeypatch) -> None:
    here = make_run(tmp_path / "here")
    wanted = make_run(runs)
    monkeypatch.chdir(tmp_path / "here")
    refused = ganlab("runs", "rm", "tiny", "--runs", runs, "--keep", "*.jsonl", given="n\n")
    assert str(wanted) in refused.stdout
    assert "Remove this run, but keep *.jsonl?" in refused.stdout
    ganlab("runs", "rm", "tiny", "--runs", runs, "--yes")
    assert here.exists()
    assert not wanted.exists()
    assert open_run("tiny", runs.parent / "none").path == here


def test_a_run_in_training_is_never_removed(runs) -> None:
    idle, busy = make_run(runs, "20260101-000000"), make_run(runs, "20260102-000000")
    lock = RunLock(busy)
    with pytest.raises(RunError, match=r"20260102-000000 is being trained \(process \d+\); nothing was removed"):
        ganlab("runs", "rm", "tiny", "--runs", runs, "--yes")
    removal = plan_removal(find_runs([str(idle)]), [])
    started = RunLock(idle)  # between the question and the answer
    with pytest.raises(RunError, match="another training writes to"):
        removal.carry_out()
    assert (idle / "spec.yaml").exists()
    started.release()
    lock.release()
    with pytest.raises(UserError, match="--keep nothing: neither one of these runs nor a file in one of them"):
        plan_removal(find_runs([str(idle)]), ["nothing"])
