"""Runs that are interrupted: killed, told to stop, or left by one of their processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import (
    ENVIRONMENT,
    GANLAB,
    PATIENCE,
    dcgan_spec,
    differences,
    gan_spec,
    ganlab,
    last_state,
    run_folder,
    start,
    wait_until,
    wait_until_caught,
    write_spec,
)
from tests.run.conftest import lines_without_time

SPECS = {"dcgan": dcgan_spec, "gan": gan_spec}


def check_resume(tmp_path: Path, family: str, devices: int, workers: int) -> None:
    spec = SPECS[family](trainer={"accelerator": "cpu", "devices": devices})
    spec["data"]["workers"] = workers
    path = write_spec(tmp_path, spec)
    done = ganlab("train", path, "--runs", tmp_path / "whole")
    assert done.returncode == 0, done.stderr
    process = start("train", path, "--runs", tmp_path / "killed")
    wait_until(lambda: list(tmp_path.glob("killed/*/*/checkpoints/kimg-00000[1-9]*.ckpt")))
    process.kill()
    process.communicate()
    time.sleep(2 if devices > 1 else 0)  # the other ranks notice that they are alone
    again = ganlab("train", path, "--runs", tmp_path / "killed", "--resume")
    assert again.returncode == 0, again.stderr
    whole, resumed = run_folder(done.stdout), run_folder(again.stdout)
    assert len(list((tmp_path / "killed" / "small").iterdir())) == 1, "a resumed run stays in its folder"
    assert differences(last_state(whole), last_state(resumed)) == []
    assert lines_without_time(resumed / "log.jsonl") == lines_without_time(whole / "log.jsonl")


def test_kill_and_resume_is_exact(tmp_path: Path) -> None:
    check_resume(tmp_path, "dcgan", devices=1, workers=0)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "devices", "workers"), [("gan", 1, 2), ("gan", 2, 0), ("dcgan", 2, 2)])
def test_kill_and_resume_is_exact_with_processes_and_workers(
    tmp_path: Path, family: str, devices: int, workers: int
) -> None:
    check_resume(tmp_path, family, devices, workers)


def long_spec(tmp_path: Path, **changes: Any) -> Path:
    return write_spec(tmp_path, dcgan_spec(kimg=10_000, **changes))


def checkpoints(tmp_path: Path) -> list[Path]:
    return sorted(tmp_path.glob("runs/*/*/checkpoints/kimg-*[1-9]*.ckpt"))


def wait_for_checkpoint(process: subprocess.Popen[str], tmp_path: Path) -> None:
    def written() -> bool:
        assert process.poll() is None, process.communicate()[1]
        return bool(checkpoints(tmp_path))

    wait_until(written)


def test_sigterm_writes_a_checkpoint_and_exits_with_143(tmp_path: Path) -> None:
    process = start("train", long_spec(tmp_path), "--runs", tmp_path / "runs")
    wait_for_checkpoint(process, tmp_path)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, errors
    run = run_folder(output)
    label = f"{last_state(run)['clock']['images_seen'] / 1000:010.3f}".removesuffix(".000")
    assert (run / "checkpoints" / f"kimg-{label}.ckpt").exists()
    assert "stopped by a signal" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_sigterm_stops_all_ranks(tmp_path: Path) -> None:
    path = long_spec(tmp_path, trainer={"accelerator": "cpu", "devices": 2})
    process = start("train", path, "--runs", tmp_path / "runs")
    wait_for_checkpoint(process, tmp_path)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, errors


@pytest.mark.slow
def test_sigterm_to_any_rank_ends_with_143(tmp_path: Path) -> None:
    path = long_spec(tmp_path, trainer={"accelerator": "cpu", "devices": 2})
    process = start("train", path, "--runs", tmp_path / "runs")
    wait_for_checkpoint(process, tmp_path)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, errors
    assert "stopped by a signal" in errors


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_whole_group_loses_no_checkpoint(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """From a terminal or systemd it reaches the loading processes as well, which once died before the checkpoint."""
    spec = dcgan_spec(kimg=10_000)
    spec["data"]["workers"] = 2
    command = [*GANLAB, "train", str(write_spec(tmp_path, spec)), "--runs", str(tmp_path / "runs")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=ENVIRONMENT, start_new_session=True, **pipes)
    wait_for_checkpoint(process, tmp_path)
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, errors
    assert last_state(run_folder(output))["clock"]["images_seen"] > 500
    assert "died" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("stopped", [0, 1])
def test_a_rank_that_stops_ends_the_run(tmp_path: Path, stopped: int) -> None:
    path = long_spec(tmp_path, trainer={"accelerator": "cpu", "devices": 2, "timeout_minutes": 0.5})
    process = start("train", path, "--runs", tmp_path / "runs")
    wait_for_checkpoint(process, tmp_path)
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    os.kill([process.pid, *children][stopped], signal.SIGSTOP)
    if stopped:
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1, errors
        assert "another process of the run is gone" in errors
        assert "Traceback" not in errors
        wait_until(lambda: not Path(f"/proc/{children[0]}").exists())
    else:  # the launcher itself: the other rank ends, and the launcher when it goes on
        wait_until(lambda: Path(f"/proc/{children[0]}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
        process.send_signal(signal.SIGCONT)
        process.communicate(timeout=PATIENCE)
        assert process.returncode > 0
    assert last_state(checkpoints(tmp_path)[0].parents[1])["clock"]["images_seen"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "delay"),
    [
        *((signal.SIGTERM, 143, delay) for delay in (0.0, 1.0, 2.5, 4.0)),
        (signal.SIGINT, 130, 0.5),
        (signal.SIGINT, 130, 2.0),
    ],
)
def test_a_signal_before_the_first_step_ends_with_a_sentence(
    tmp_path: Path, number: signal.Signals, code: int, delay: float
) -> None:
    process = start("train", long_spec(tmp_path), "--runs", tmp_path / "runs")
    wait_until_caught(process, signal.SIGTERM)
    time.sleep(delay)
    process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, "stopped by a signal" in errors) == (code, True), errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_a_rank_that_dies_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    path = long_spec(tmp_path, trainer={"accelerator": "cpu", "devices": 2})
    process = start("train", path, "--runs", tmp_path / "runs")
    wait_for_checkpoint(process, tmp_path)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode not in (0, 143)
    assert "ganlab: " in errors
    assert "checkpoint is kept" in errors
    assert "Traceback" not in errors
    assert last_state(checkpoints(tmp_path)[0].parents[1])["clock"]["images_seen"] > 0


@pytest.mark.slow
def test_a_port_that_is_taken_is_a_sentence_and_no_rank_stays(tmp_path: Path) -> None:
    path = write_spec(tmp_path, dcgan_spec(trainer={"accelerator": "cpu", "devices": 2}))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = ganlab("train", path, "--runs", tmp_path / "runs", MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    assert ended.returncode == 2, ended.stderr
    assert f"the ranks cannot meet at 127.0.0.1, port {port}" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_torchrun_starts_again_and_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    path, kimg = write_spec(tmp_path, dcgan_spec()), dcgan_spec()["kimg"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=2"]
    command += ["-m", "ganlab", "train", str(path), "--runs", str(tmp_path / "runs"), "--resume", "auto"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=ENVIRONMENT, **pipes)
    wait_for_checkpoint(process, tmp_path)
    ranks = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(ranks[-1]), signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    (run,) = tmp_path.glob("runs/*/*")
    assert last_state(run)["clock"]["images_seen"] >= 1000 * kimg


@pytest.mark.slow
def test_torchrun_trains_like_lightnings_launcher(tmp_path: Path) -> None:
    path = write_spec(tmp_path, dcgan_spec(kimg=1))
    ours = ganlab("train", path, "trainer.devices=2", "--runs", tmp_path / "ours")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "ganlab"]
    command = [*launcher, "train", str(path), "--runs", str(tmp_path / "theirs")]
    theirs = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=PATIENCE)
    assert (ours.returncode, theirs.returncode) == (0, 0), ours.stderr + theirs.stderr
    assert differences(last_state(run_folder(ours.stdout)), last_state(run_folder(theirs.stdout))) == []


@pytest.mark.slow
def test_slurm_variables_start_the_ranks(tmp_path: Path) -> None:
    path = write_spec(tmp_path, dcgan_spec(kimg=1))
    slurm = {
        "SLURM_JOB_ID": "1",
        "SLURM_STEP_ID": "0",
        "SLURM_NTASKS": "2",
        "SLURM_NNODES": "1",
        "SLURM_NTASKS_PER_NODE": "2",
        "SLURM_NODEID": "0",
        "SLURM_NODELIST": "127.0.0.1",
        "SLURM_JOB_NAME": "train",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29753",
    }
    command = [sys.executable, "-m", "ganlab", "train", str(path), "--runs", str(tmp_path / "runs")]
    ranks = [
        subprocess.Popen(
            command,
            env=ENVIRONMENT | slurm | {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    outputs = [rank.communicate(timeout=PATIENCE) for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0], outputs
    alone = ganlab("train", path, "trainer.devices=2", "--runs", tmp_path / "alone")
    assert differences(last_state(run_folder(outputs[0][0])), last_state(run_folder(alone.stdout))) == []
