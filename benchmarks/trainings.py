"""Trainings that benchmarks start as a user does, what they cost, and what they measured."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple


class Training(NamedTuple):
    """A training of the command line: its run's folder, what it said on stderr, and what the whole command took."""

    run: Path
    said: str
    seconds: float
    cpu_seconds: float


def train_by_command(what: str, words: Sequence[str], runs: Path, folder: Path | None = None) -> Training:
    """`ganlab train` with these words, in a folder; ends the program, naming `what` was trained, where it fails."""
    command = [sys.executable, "-m", "ganlab", "train", *words, "--runs", str(runs)]
    started, used = time.perf_counter(), cpu_seconds_of_children()
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stderr}")
    run = Path(done.stdout.strip().splitlines()[-1])
    return Training(run, done.stderr, seconds, cpu_seconds_of_children() - used)


def cpu_seconds_of_children() -> float:
    """CPU time of all processes that were started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def last_numbers(run: Path) -> dict[str, Any]:
    """What a run measured last, by names such as `swd/average`."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {name: value for line in lines for name, value in line.items()}
