"""The wait for wandb's own process has an end, whether training goes on or its process is about to end."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ganlab.tracking import wandb_service

ROOT = Path(__file__).parents[2]
DEAF = [sys.executable, "-c", "import time; time.sleep(600)"]

WAITS_AT_ITS_END = """
import atexit, subprocess, sys
from ganlab.tracking import wandb_service
process = subprocess.Popen(sys.argv[1:])
wandb_service._process = lambda: process
atexit.register(process.wait)
wandb_service.bound_exit(0.2)
print(process.poll())
"""


@pytest.fixture
def deaf(monkeypatch):
    process = subprocess.Popen(DEAF)
    monkeypatch.setattr(wandb_service, "_process", lambda: process)
    yield process
    process.kill()
    process.wait()


def test_a_process_that_does_not_end_is_killed_after_the_bound(deaf):
    with wandb_service.bounded(0.2):
        deaf.wait(60)
        sys.exit(deaf.returncode)  # as wandb does it
    assert deaf.returncode == -9


def test_a_process_that_ends_is_left_alone(deaf):
    with wandb_service.bounded(60):
        deaf.terminate()
        deaf.wait(60)
    assert deaf.returncode == -15


def test_the_bound_begins_with_the_end_of_the_main_thread():
    ended = subprocess.run(
        [sys.executable, "-c", WAITS_AT_ITS_END, *DEAF], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stdout.split(), ended.stderr) == (0, ["None"], "")


def test_a_process_of_another_program_is_none_of_ours(monkeypatch):
    monkeypatch.setattr(wandb_service, "_process", lambda: None)
    watching = threading.enumerate()
    with wandb_service.bounded(60):
        assert threading.enumerate() == watching
    wandb_service.bound_exit(60)
    assert threading.enumerate() == watching
