"""Workers as jobs: submitit's local executor, which starts, signals and requeues jobs as a cluster does."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from ganlab.errors import UserError
from ganlab.sweeps import cluster
from ganlab.sweeps.cluster import JobOptions, read_job_options, submit_workers
from ganlab.sweeps.results import read_sweep
from tests.sweeps.test_worker import begin, diary

needs_submitit = pytest.mark.skipif(find_spec("submitit") is None, reason="submitit is not installed")


def wait_for(what) -> None:
    """Two programs import ganlab before a job has done anything."""
    until = time.monotonic() + 200
    while not what():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.1)


def options(tmp_path, text: str) -> JobOptions:
    path = tmp_path / "jobs.yaml"
    path.write_text(text)
    return read_job_options(path)


def test_options_are_those_of_jobs_and_of_submitit(tmp_path):
    found = options(tmp_path, "jobs: 8\ntimeout_min: 240\nslurm_partition: gpu\n")
    assert (found.jobs, found.cluster) == (8, "slurm")
    assert found.of_submitit == {"timeout_min": 240, "slurm_partition": "gpu"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("jobs: 0\n", "jobs: .*greater than or equal to 1, not 0"),
        ("cluster: pbs\n", "cluster: .*'slurm' or 'local'"),
        ("- jobs\n", "are a mapping"),
    ],
)
def test_bad_options_are_sentences(tmp_path, text, sentence):
    with pytest.raises(UserError, match=sentence):
        options(tmp_path, text)


@needs_submitit
def test_an_option_that_submitit_does_not_know_is_a_sentence(tmp_path):
    place = begin(tmp_path, "method: grid\nparameters: {score: {values: [1.0]}}\n")
    with pytest.raises(UserError, match="cannot be submitted: .*timeout_minutes"):
        submit_workers(place, JobOptions(cluster="local", timeout_minutes=3), None, 60.0)


def test_without_submitit_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(cluster.sys.modules, "submitit", None)
    place = begin(tmp_path, "method: grid\nparameters: {score: {values: [1.0]}}\n")
    with pytest.raises(UserError, match=r"pip install 'ganlab\[slurm\]'"):
        submit_workers(place, JobOptions(cluster="local"), None, 60.0)


def submitit_submit():
    """What submits, so that a test can keep the jobs that are made."""
    import submitit

    return submitit.AutoExecutor.submit


def task_of(number: str) -> int:
    """The process in which submitit runs a job's function, as a cluster would signal it."""
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_task = b"submitit.core._submit" in (path / "cmdline").read_bytes().split(b"\0")
            if is_task and f"SUBMITIT_LOCAL_JOB_ID={number}".encode() in (path / "environ").read_bytes().split(b"\0"):
                return int(path.name)
    raise AssertionError("there is no such process")


@needs_submitit
def test_slurm_is_told_what_the_file_says(tmp_path, monkeypatch):
    for name, text in {"srun": "exit 0", "sbatch": f"cp $1 {tmp_path}/sent; echo Submitted batch job 4711"}.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("GANLAB_SWEEP_STORAGE", "")
    place = begin(tmp_path, "method: grid\nparameters: {score: {values: [1.0]}}\n")
    text = "jobs: 3\ntimeout_min: 240\ngpus_per_node: 1\nslurm_partition: gpu\nslurm_signal_delay_s: 120\n"
    numbers = submit_workers(place, options(tmp_path, text), "postgresql://user:secret@host/x", 60.0)
    assert numbers == ["4711_0", "4711_1", "4711_2"]
    sent = (tmp_path / "sent").read_text()
    for line in ("--partition=gpu", "--array=0-2", "--time=240", "--gpus-per-node=1", "--signal=USR2@120"):
        assert f"#SBATCH {line}" in sent
    assert "secret" not in sent + "".join(path.read_text("latin-1") for path in place.path.glob("jobs/**/*.pkl"))


@needs_submitit
@pytest.mark.slow
def test_a_job_that_gets_sigterm_leaves_its_trial_to_others(tmp_path, monkeypatch):
    place = begin(
        tmp_path, "method: grid\nparameters: {score: {values: [3.0]}, steps: {value: 90}, pause: {value: 0.5}}\n"
    )
    jobs = []
    submit = submitit_submit()
    monkeypatch.setattr("submitit.AutoExecutor.submit", lambda *given: jobs.append(submit(*given)) or jobs[-1])
    (number,) = submit_workers(place, JobOptions(cluster="local", timeout_min=10), None, 60.0)
    wait_for(lambda: len(diary(place, 0)) > 2)
    os.kill(task_of(number), signal.SIGTERM)
    wait_for(jobs[0].done)
    assert jobs[0].result() == 143
    assert read_sweep(place.path).trials[0].state == "interrupted"
    assert diary(place, 0)[-1].startswith("stop at")


@needs_submitit
@pytest.mark.slow
def test_two_jobs_share_a_sweep_and_one_that_is_preempted_goes_on(tmp_path, monkeypatch):
    text = (
        "method: grid\nparameters: {score: {values: [3.0, 2.0, 1.0, 0.5]}, steps: {value: 12}, pause: {value: 0.5}}\n"
    )
    place = begin(tmp_path, text)
    submitted = []
    submit = submitit_submit()
    monkeypatch.setattr(
        "submitit.AutoExecutor.submit", lambda *given: submitted.append(submit(*given)) or submitted[-1]
    )
    numbers = submit_workers(place, JobOptions(cluster="local", jobs=2, timeout_min=10), None, 60.0)
    assert len(set(numbers)) == 2
    wait_for(lambda: len(diary(place, 0)) > 2 and len(diary(place, 1)) > 2)
    os.kill(task_of(numbers[0]), signal.SIGUSR2)  # as a cluster does before it takes the node away
    for job in submitted:
        wait_for(job.done)
        assert job.result() == 0
    results = read_sweep(place.path)
    assert [trial.state for trial in results.trials] == ["finished"] * 4
    assert sum(trial.sessions for trial in results.trials) == 5, "one trial had two sessions, and none was done twice"
    for trial in results.trials:
        steps = [line for line in diary(place, trial.number) if line.startswith("step")]
        assert steps == [f"step {number}" for number in range(12)], "it went on where it was"
