"""Workers with a small script in place of a training: what they start, watch, stop, record and leave."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.opening import begin_study, open_study
from ganlab.sweeps.results import SweepResults, read_sweep
from ganlab.sweeps.worker import Stopping, Worker
from tests.sweeps.files import sweep_file

TRAIN = Path(__file__).with_name("train.py")
HEAD = f"""\
command: ["${{interpreter}}", {TRAIN}, spec.yaml, "${{args_no_hyphens}}"]
metric: {{name: metrics/score, goal: minimize}}
"""
SECONDS = 120.0


def begin(folder: Path, body: str, head: str = HEAD, lease: float = 60.0) -> SweepFolder:
    sweep = sweep_file(folder, body, head)
    place = SweepFolder(folder / "sweep")
    record = {"name": "tiny", "storage": None, "working_directory": str(folder), "search_seed": 0, "specs": {}}
    begin_study(place, sweep, record, None, lease)
    return place


def work(place: SweepFolder, lease: float = 60.0) -> SweepResults:
    """One worker in this process, to the end."""
    Worker(place, open_study(place, None, lease), Stopping()).work()
    return read_sweep(place.path)


@contextlib.contextmanager
def worker_process(place: SweepFolder, lease: float = 60.0) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "ganlab", "sweep", "work", str(place.path), "--lease", str(lease)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.05)


def diary(place: SweepFolder, number: int) -> list[str]:
    path = place.trial(number) / "events.txt"
    return path.read_text().splitlines() if path.exists() else []


def test_trials_run_to_their_end_with_their_values(tmp_path, capsys, no_network) -> None:
    place = begin(tmp_path, "method: grid\nparameters: {score: {values: [2.0, 1.0]}, steps: {value: 2}}\n")
    results = work(place)
    assert [trial.state for trial in results.trials] == ["finished", "finished"]
    assert results.trials[0].curve == ((1000, 2.0), (2000, 1.9))
    assert results.best is not None
    assert results.best.parameters == {"score": 1.0, "steps": 2}
    assert diary(place, 1) == ["begin tiny 1 at 0", "step 0", "step 1", "end"]
    assert results.trials[0].run == place.trial(0) / "tiny/20260101-000000"
    said = capsys.readouterr().out
    assert "trial    0  begins: score=2.0" in said
    assert "trial    1  finished after" in said


@pytest.fixture
def no_network(monkeypatch) -> None:
    """A default sweep needs no network."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_trial_that_fails_has_its_reason_and_ends_nothing(tmp_path) -> None:
    place = begin(tmp_path, "method: grid\nparameters: {fail: {values: [1, -1]}}\n")
    bad, good = work(place).trials
    assert (bad.state, good.state) == ("failed", "finished")
    assert bad.reason.startswith("it cannot go on, for a test (exit code 2; its output is ")
    assert bad.curve == ((1000, 1.0),)


def test_a_metric_that_is_never_logged_is_a_reason_with_what_was(tmp_path) -> None:
    place = begin(tmp_path, "method: grid\nparameters: {name: {values: [scroe, score]}}\n")
    bad, good = work(place).trials
    assert good.state == "finished"
    assert bad.state == "failed"
    assert bad.reason == (
        "the metric 'metrics/score' was never logged; it logged: metrics/scroe, metrics/toy; did you mean "
        "'metrics/scroe'?"
    )


def test_a_command_that_does_not_exist_is_a_reason(tmp_path) -> None:
    head = HEAD.replace("${interpreter}", "no-such-program")
    (trial,) = work(begin(tmp_path, "method: grid\nparameters: {steps: {values: [1]}}\n", head)).trials
    assert trial.state == "failed"
    assert "cannot be started: no-such-program: No such file" in trial.reason


def test_a_bad_trial_is_stopped_early_with_a_checkpoint(tmp_path) -> None:
    place = begin(
        tmp_path,
        """\
        method: grid
        early_terminate: {type: hyperband, min_iter: 2, eta: 2}
        parameters:
          score: {values: [1.0, 1.2, 9.0]}
          pause: {value: 0.3}
          steps: {value: 4}
        """,
    )
    good, other, bad = work(place).trials
    assert (good.state, bad.state) == ("finished", "stopped early")
    assert other.state in ("finished", "stopped early")
    assert diary(place, 2)[-1].startswith("stop at")
    assert 2 <= len(bad.curve) < 4
    assert "at iteration 2, 8.9 is above 1" in bad.reason
    assert (place.trial(2) / "stopped-early").read_text() == f"{bad.reason}\n"
    assert not (place.trial(0) / "stopped-early").exists()


def test_a_number_of_the_log_can_be_the_target(tmp_path) -> None:
    head = HEAD.replace("metrics/score", "score")
    (trial,) = work(begin(tmp_path, "method: grid\nparameters: {score: {values: [2.0]}}\n", head)).trials
    assert trial.curve == ((1000, 2.0), (2000, 1.9), (3000, 1.8))


def test_trouble_with_the_storage_is_told_once_and_nothing_is_lost(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("ganlab.sweeps.worker._RETRY", 0.01)
    place = begin(tmp_path, "method: grid\nparameters: {score: {values: [2.0]}, pause: {value: 0.3}}\n")
    study = open_study(place)
    for name, times in (("claim", 2), ("report", 12), ("finish", 2)):  # the training ends before reports succeed
        monkeypatch.setattr(study, name, failing(getattr(study, name), times))
    Worker(place, study, Stopping()).work()
    (trial,) = read_sweep(place.path).trials
    assert (trial.state, trial.sessions, len(trial.curve)) == ("finished", 1, 3)
    said = capsys.readouterr().out
    assert said.count("the sweep's storage gives trouble: No space left on device; it is tried again") == 3
    assert said.count("the sweep's storage works again") == 3


def test_a_training_ends_before_its_lease_where_the_storage_is_gone_for_long(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("ganlab.sweeps.worker._RETRY", 0.01)
    place = begin(tmp_path, "method: grid\nparameters: {steps: {values: [5]}, pause: {value: 0.2}}\n")
    study = open_study(place, None, 1.2)
    monkeypatch.setattr(study, "renew", failing(study.renew, 3))
    Worker(place, study, Stopping()).work()
    (trial,) = read_sweep(place.path).trials
    assert (trial.state, trial.sessions, len(trial.curve)) == ("finished", 2, 5)


def failing(method: Callable[..., Any], times: int) -> Callable[..., Any]:
    """A method that finds the disk full for some times."""
    left = [times]

    def fail(*arguments: object) -> object:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(28, "No space left on device")
        return method(*arguments)

    return fail


@pytest.mark.slow
def test_sigterm_leaves_the_trial_and_the_next_worker_resumes_it(tmp_path) -> None:
    place = begin(tmp_path, "method: grid\nparameters: {steps: {values: [4]}, pause: {value: 0.4}}\n")
    with worker_process(place) as process:
        wait_for(lambda: "step 0" in diary(place, 0))
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 143
    assert read_sweep(place.path).trials[0].state == "interrupted"
    (trial,) = work(place).trials
    assert (trial.state, trial.sessions, len(trial.curve)) == ("finished", 2, 4)
    steps = [line for line in diary(place, 0) if line.startswith("step")]
    assert steps == [f"step {index}" for index in range(4)]


@pytest.mark.slow
def test_a_worker_killed_half_way_loses_no_trial_and_none_is_done_twice(tmp_path) -> None:
    body = "method: grid\nparameters: {score: {values: [1.0, 2.0, 3.0, 4.0]}, steps: {value: 3}, pause: {value: 0.3}}\n"
    place = begin(tmp_path, body)
    with worker_process(place) as first, worker_process(place) as second:
        wait_for(lambda: "step 1" in diary(place, 0) + diary(place, 1))
        first.kill()
        assert second.wait(SECONDS) == 0
        output = second.stdout.read()
    trials = read_sweep(place.path).trials
    assert [trial.state for trial in trials] == ["finished"] * 4
    assert sorted(trial.sessions for trial in trials) == [1, 1, 1, 2]
    assert f"goes on (left by process {first.pid})" in output
    for number in range(4):
        steps = [line for line in diary(place, number) if line.startswith("step")]
        assert steps == ["step 0", "step 1", "step 2"], "each step once, by whichever worker"


@pytest.mark.slow
def test_a_worker_that_comes_too_late_stops_its_training(tmp_path) -> None:
    place = begin(tmp_path, "method: grid\nparameters: {steps: {values: [99]}, pause: {value: 0.1}}\n")
    with worker_process(place, lease=2.0) as process:
        wait_for(lambda: "step 0" in diary(place, 0))
        os.kill(process.pid, signal.SIGSTOP)
        other = open_study(place, None, 2.0)
        wait_for(lambda: other.claim() is not None)
        os.kill(process.pid, signal.SIGCONT)
        wait_for(lambda: any(line.startswith("stop") for line in diary(place, 0)))
    assert read_sweep(place.path).trials[0].sessions >= 2
