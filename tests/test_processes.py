"""Processes that this one starts, when it dies and when a whole group of processes gets a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from ganlab.run.launcher import WatchedLauncher

PARENT = """
import os, time
from ganlab.processes import {name}
child = os.fork()
if child == 0:
    {call}
    print(os.getpid(), flush=True)
    time.sleep(100)
time.sleep(100)
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system is told to end processes")


def is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("name", "call"),
    [("begin_loading_process", "begin_loading_process()"), ("end_with_parent", "end_with_parent(os.getppid())")],
)
def test_a_process_ends_with_its_parent_even_if_it_was_stopped(name, call) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(name=name, call=call)], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    if name == "begin_loading_process":
        os.kill(child, signal.SIGTERM)
        os.kill(child, signal.SIGINT)
    os.kill(child, signal.SIGSTOP)
    assert is_alive(child)
    parent.kill()
    parent.communicate()
    end = time.monotonic() + 30
    while is_alive(child):
        assert time.monotonic() < end, "it stays for ever"
        time.sleep(0.01)


def test_a_process_whose_parent_was_gone_before_ends_at_once() -> None:
    code = "from ganlab.processes import end_with_parent; end_with_parent(1); print('goes on')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (1, "")


def test_a_rank_whose_launcher_died_before_it_was_watched_ends(monkeypatch) -> None:
    """It once took whoever was its parent by then for the launcher."""
    followed = []
    monkeypatch.setattr("ganlab.run.launcher.end_with_parent", followed.append)
    monkeypatch.setattr("ganlab.run.launcher._start", lambda watch, *arguments: followed.extend(arguments))
    monkeypatch.setenv("GANLAB_LAUNCHED", "4711")

    class Environment:
        creates_processes_externally = True

        def validate_settings(self, **settings) -> None: ...

    WatchedLauncher(Environment(), 2, 1).launch(lambda: None)
    assert followed == [4711, 4711]
