"""`ganlab sweep` with its workers as processes: killed, stopped, started again; and with real trainings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ganlab.plugins import installed
from ganlab.sweeps.results import read_sweep
from tests.acceptance.commands import ENVIRONMENT, GANLAB, ganlab, run_folder, wait_until

ROOT = Path(__file__).parents[2]
TRAIN = ROOT / "tests/sweeps/train.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed("architectures"), reason="the quickstart needs plugins"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes end with their parents on Linux alone"),
]


def write(folder: Path, command: list[str], **parameters: list | dict) -> Path:
    written = {key: value if isinstance(value, dict) else {"values": value} for key, value in parameters.items()}
    content = {
        "method": "grid",
        "command": [*command, "experiments/quickstart.yaml", "${args_no_hyphens}"],
        "metric": {"name": "metrics/swd/average" if "train" in command else "score"},
        "parameters": {key.replace("__", "."): value for key, value in written.items()},
    }
    path = folder / "tiny.yaml"
    path.write_text(json.dumps(content))
    return path


def start(sweep: Path, pause: float) -> subprocess.Popen[str]:
    command = [*GANLAB, "sweep", str(sweep), "--workers", "2", "--runs", str(sweep.parent)]
    environment = ENVIRONMENT | {"TEST_PAUSE": str(pause)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()] if found.exists() else []


def steps_of(folder: Path, number: int) -> list[str]:
    diary = folder / f"trials/{number:04d}/events.txt"
    return [line for line in diary.read_text().splitlines() if line.startswith("step")] if diary.exists() else []


def ended(folder: Path, state: str = "finished") -> int:
    if not (folder / "sweep.json").exists():
        return 0
    return sum(trial.state == state for trial in read_sweep(folder).trials)


def test_killed_workers_are_replaced_and_a_killed_sweep_goes_on(tmp_path) -> None:
    sweep, folder = write(tmp_path, [sys.executable, str(TRAIN)], seed=list(range(6))), tmp_path / "sweeps/tiny"
    with start(sweep, 0.5) as process:
        wait_until(lambda: steps_of(folder, 0))
        os.kill(children(process.pid)[0], signal.SIGKILL)
        wait_until(lambda: ended(folder) >= 2)
        below = [each for child in children(process.pid) for each in (child, *children(child))]
        process.kill()
        assert "was killed by signal 9; another takes its place" in process.stdout.read()
    wait_until(lambda: not any(Path(f"/proc/{pid}/task").exists() and children(pid) for pid in below))
    wait_until(lambda: ended(folder, "running") == 0)
    with start(sweep, 0.0) as process:
        output = process.stdout.read()
    assert process.returncode == 0, output
    assert "trials         6 of 6: 6 finished" in output
    for number in range(6):
        assert steps_of(folder, number) == ["step 0", "step 1", "step 2"]


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(tmp_path) -> None:
    sweep, folder = write(tmp_path, [sys.executable, str(TRAIN)], seed=[0, 1]), tmp_path / "sweeps/tiny"
    with start(sweep, 1.0) as process:
        wait_until(lambda: steps_of(folder, 0) and steps_of(folder, 1))
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
    assert process.returncode == 130
    assert "stopped by a signal; the same command goes on with the sweep" in output
    assert output.splitlines()[-1] == str(folder)
    assert [trial.state for trial in read_sweep(folder).trials] == ["interrupted", "interrupted"]
    with start(sweep, 0.0) as process:
        assert "2 of 2: 2 finished" in process.stdout.read()
    assert [steps_of(folder, number) for number in (0, 1)] == [["step 0", "step 1", "step 2"]] * 2


def test_a_trial_that_was_interrupted_ends_as_one_that_was_not(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    short = {"kimg": {"value": 2}, "checkpoint__every_kimg": {"value": 0.5}, "snapshots": {"value": None}}
    measured = {"value": {"every_kimg": 1, "metrics": ["swd"], "samples": 100}}
    sweep = write(tmp_path, ["ganlab", "train"], seed=[3], evaluation=measured, **short)
    folder = tmp_path / "sweeps/tiny"
    with start(sweep, 0.0) as process:
        wait_until(lambda: list(folder.glob("trials/0000/*/*/checkpoints/kimg-*.*.ckpt")), 280)
        training = children(children(process.pid)[0]) or children(children(process.pid)[1])
        os.kill(training[0], signal.SIGTERM)  # as a scheduler does
        assert process.wait(240) == 0
    (trial,) = read_sweep(folder).trials
    assert (trial.state, trial.sessions) == ("finished", 2)
    given = json.loads((trial.folder / "parameters.json").read_text())
    overrides = [f"{key}={json.dumps(value)}" for key, value in given.items()]
    done = ganlab("train", "experiments/quickstart.yaml", *overrides, "--runs", tmp_path / "runs")
    run = run_folder(done.stdout)
    for file in ("generator.safetensors", "metrics.jsonl"):
        assert (run / file).read_bytes() == (trial.run / file).read_bytes()
