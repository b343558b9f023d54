"""Only one training writes to a run's folder, whoever died there before."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from ganlab.errors import RunError
from ganlab.run import lock
from ganlab.run.lock import RunLock
from tests.run.test_resume import kill_at


def holder(**changes) -> str:
    own = {"host": socket.gethostname(), "pid": os.getpid(), "born": lock._born(os.getpid()), "started": "2026"}
    return json.dumps(own | changes)


def test_a_second_training_is_refused_until_the_first_lets_go(tmp_path) -> None:
    first = RunLock(tmp_path)
    with pytest.raises(RunError, match=rf"another training writes to .*: process {os.getpid()} on this machine"):
        RunLock(tmp_path)
    first.release()
    assert list(tmp_path.iterdir()) == []
    RunLock(tmp_path).release()


def test_another_process_is_refused_too(tmp_path) -> None:
    code = f"from pathlib import Path; from ganlab.run.lock import RunLock; RunLock(Path({str(tmp_path)!r})); input()"
    other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    path = tmp_path / lock.NAME
    while not (path.exists() and path.read_text().endswith("}")):
        assert other.poll() is None
    with pytest.raises(RunError, match=f"process {other.pid}"):
        RunLock(tmp_path)
    other.kill()
    if os.path.exists("/proc"):  # dead, and nobody has taken note of it
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        RunLock(tmp_path).release()
        path.write_text(holder(pid=other.pid, born=1))
    other.communicate()
    RunLock(tmp_path)


@pytest.mark.skipif(not os.path.exists("/proc"), reason="numbers of processes are told apart by their birth")
def test_the_number_of_a_dead_process_may_be_anothers_by_now(tmp_path) -> None:
    (tmp_path / lock.NAME).write_text(holder(born=1))
    taken = RunLock(tmp_path)
    assert json.loads((tmp_path / lock.NAME).read_text())["born"] != 1
    taken.release()


@pytest.mark.parametrize("content", ["", '{"host": "x"', "[]"])
def test_a_lock_that_was_not_written_to_the_end_is_nobodys(tmp_path, content) -> None:
    (tmp_path / lock.NAME).write_text(content)
    taken = RunLock(tmp_path)
    assert json.loads((tmp_path / lock.NAME).read_text())["pid"] == os.getpid()
    taken.release()


def test_a_process_of_another_host_may_live(tmp_path) -> None:
    path = tmp_path / lock.NAME
    path.write_text(holder(host="elsewhere", pid=2**22 + 1))
    with pytest.raises(RunError, match=rf"on elsewhere, since 2026.*if it is dead, remove {path}"):
        RunLock(tmp_path)


def test_what_is_anothers_is_not_released(tmp_path) -> None:
    first = RunLock(tmp_path)
    (tmp_path / lock.NAME).write_text(holder(host="elsewhere"))
    first.release()
    assert (tmp_path / lock.NAME).exists()


def test_a_run_is_locked_while_it_is_trained(tiny_runs, monkeypatch) -> None:
    seen = []

    def resume_meanwhile(module, images_seen) -> None:
        if not seen:
            seen.append(images_seen)
            with pytest.raises(RunError, match="another training writes to"):
                tiny_runs.train(resume=True)

    original = type(tiny_runs.loss).generator

    def generator(self, real_logits, fake_logits):
        resume_meanwhile(None, 0)
        return original(self, real_logits, fake_logits)

    monkeypatch.setattr(type(tiny_runs.loss), "generator", generator)
    tiny_runs.train()
    assert seen
    assert not (tiny_runs.only_run / lock.NAME).exists()


def test_a_run_that_failed_is_not_locked(tiny_runs, monkeypatch) -> None:
    kill_at(monkeypatch, tiny_runs, 16, "ganlab.run.end_callback.EndCallback.on_train_batch_end")
    assert not (tiny_runs.only_run / lock.NAME).exists()
