"""Sweeps on a W&B server of ours: registered, worked on by W&B's own agents, stopped early, taken up again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganlab.errors import UserError
from ganlab.plugins import installed
from ganlab.sweeps.file import read_sweep_file
from ganlab.sweeps.hosted import register, run_hosted
from tests.studies.test_runs import ganlab
from tests.wandb_server import Server, serving

ROOT = Path(__file__).parents[2]
SMALL = ["data.batch_size=16", "evaluation.samples=64", "evaluation.metrics=[swd]", "snapshots=null", "diversity=null"]
SWEEP = f"""
program: ganlab
name: losses on digits
project: mine
command: ["${{env}}", ganlab, train, {ROOT}/experiments/quickstart.yaml, {", ".join(f'"{word}"' for word in SMALL)},
          "${{args_no_hyphens}}"]
method: random
metric: {{name: metrics/swd/average, goal: minimize}}
early_terminate: {{type: hyperband, min_iter: 1, eta: 2}}
parameters:
  architecture.loss: {{values: [hinge, non_saturating]}}
  optimizers.generator.lr: {{distribution: log_uniform_values, min: 1e-4, max: 1e-2}}
"""

needs_plugins = pytest.mark.skipif(not installed("architectures"), reason="trials need plugins")


def plan(config: dict) -> list[dict]:
    """Two trials: one of two processes, and one that would never end."""
    common = {"architecture.loss": "hinge", "checkpoint.every_kimg": 100}
    short = {"kimg": 0.128, "evaluation.every_kimg": 0.064, "tracking.every_kimg": 0.064, "trainer.devices": 2}
    endless = {"kimg": 10000, "evaluation.every_kimg": 0.064, "tracking.every_kimg": 0.064, "seed": 3}
    return [common | short, common | endless]


@pytest.fixture
def server(tmp_path, monkeypatch) -> Iterator[Server]:
    with serving(tmp_path, monkeypatch, plan) as server:
        yield server


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "sweep.yaml"
    path.write_text(SWEEP)
    return path


def runs_in(folder: Path) -> dict[str, Path]:
    """Run folders by the id of their W&B run."""
    records = folder.glob("runs/quickstart/*/wandb/run.json")
    return {json.loads(path.read_text())["id"]: path.parents[1] for path in records}


def end_of(run: Path) -> str:
    return json.loads((run / "events.jsonl").read_text().splitlines()[-1])["text"]


def test_the_server_is_told_what_the_file_says(server, file, capsys):
    address = register(read_sweep_file(file), "mine")
    assert address == "team/mine/sweep0"
    config = server.sweeps["sweep0"].config
    assert config["name"] == "losses on digits"
    assert config["command"][-1] == "${args_no_hyphens}"  # noqa: RUF027
    assert config["parameters"]["optimizers.generator.lr"]["min"] == 1e-4, "a number, which PyYAML takes for a text"
    assert config["early_terminate"] == {"type": "hyperband", "min_iter": 1, "eta": 2}


def test_a_value_that_agents_cannot_write_is_refused(server, file):
    file.write_text(SWEEP.replace("[hinge, non_saturating]", "[hinge, null]"))
    with pytest.raises(UserError, match="'architecture.loss' has the value null, which W&B's agents write as 'None'"):
        run_hosted(read_sweep_file(file))
    assert not server.sweeps


def test_without_a_server_there_is_a_sentence(file, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UserError, match="need its server: .* works without one"):
        run_hosted(read_sweep_file(file))
    import wandb

    wandb.teardown()


@pytest.mark.slow
@pytest.mark.timeout(900)  # as four processes import torch one after the other
@needs_plugins
def test_an_agent_runs_two_trials_and_the_server_stops_one_early(server, file, tmp_path):
    def stop_the_endless_one(run) -> None:
        if run.name == "trial1" and len(run.series("metrics/swd/average")) >= 2:
            server.sweeps["sweep0"].stop.add("trial1")
            run.stopped = True

    server.on_row = stop_the_endless_one
    done = subprocess.run(
        [sys.executable, "-m", "ganlab", "sweep", str(file), "--wandb"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "wandb agent team/mine/sweep0" in done.stdout
    assert set(server.runs) == {"trial0", "trial1"}, "one W&B run a trial, whatever the number of processes"
    short, endless = server.runs["trial0"], server.runs["trial1"]
    assert [run.project for run in (short, endless)] == ["mine", "mine"]
    assert [run.facts["sweep"] for run in (short, endless)] == ["sweep0", "sweep0"]
    assert [run.facts["groupName"] for run in (short, endless)] == ["losses on digits", "losses on digits"]
    assert short.config["trainer"]["devices"] == 2
    assert short.series("images_seen")[-1] == 128
    assert len(short.series("metrics/swd/average")) == 2
    assert (short.state, endless.state) == ("finished", "finished")
    assert endless.summary["stopped_early"] is True
    assert "stopped_early" not in short.summary
    folders = runs_in(tmp_path)
    assert set(folders) == {"trial0", "trial1"}
    assert end_of(folders["trial0"]) == "finished"
    assert end_of(folders["trial1"]) == "interrupted"
    assert (folders["trial1"] / "checkpoints" / "last.ckpt").exists()
    spec = (folders["trial1"] / "spec.yaml").read_text()
    assert "seed: 3" in spec


@pytest.mark.slow
@pytest.mark.timeout(900)  # as four processes import torch one after the other
@needs_plugins
def test_a_trial_that_the_agent_gives_again_goes_on_where_it_was(server, file, tmp_path, monkeypatch):
    environment = {**os.environ, "WANDB_SWEEP_ID": "sweep0", "WANDB_RUN_ID": "trial7", "OMP_NUM_THREADS": "1"}
    ganlab = [sys.executable, "-m", "ganlab", "train", str(ROOT / "experiments/quickstart.yaml"), *SMALL]

    def train(kimg: str) -> None:
        command = [*ganlab, f"kimg={kimg}", "evaluation=null", "tracking.every_kimg=0.064"]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=800)

    train("0.128")
    train("0.256")
    (folder,) = runs_in(tmp_path).values()
    assert [json.loads(line)["kind"] for line in (folder / "events.jsonl").read_text().splitlines()].count(
        "resume"
    ) == 1
    seen = server.runs["trial7"].series("images_seen")
    assert seen == sorted(set(seen))
    assert seen[-1] == 256


def test_options_that_mean_nothing_beside_the_server_are_refused(file):
    done = ganlab("sweep", file, "--wandb", "--storage", "postgresql://x/y", "--search-seed", "1")
    assert done.exit_code == 2
    assert "without W&B's server" in done.output


@pytest.mark.slow
def test_sigterm_reaches_the_training_behind_the_agent(server, file, tmp_path):
    head = f"command: [{sys.executable}, {ROOT}/tests/sweeps/train.py, --runs, {tmp_path}/runs, spec.yaml, "
    file.write_text(
        head + '"${args_no_hyphens}"]\nmethod: grid\nmetric: {name: metrics/score}\nparameters: {steps: {value: 1}}\n'
    )
    server.plan = lambda config: [{"steps": 1000, "pause": 0.5}]
    script = "import sys; from ganlab.sweeps.file import read_sweep_file; from ganlab.sweeps.hosted import run_hosted; "
    process = subprocess.Popen(
        [sys.executable, "-c", script + "sys.exit(run_hosted(read_sweep_file(sys.argv[1])))", str(file)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GANLAB_TRIAL": "0"},
    )
    diary = tmp_path / "runs" / "events.txt"
    until = time.monotonic() + 200
    while not diary.exists() or len(diary.read_text().splitlines()) < 3:
        assert time.monotonic() < until
        time.sleep(0.2)
    process.terminate()
    assert process.wait(120) == 143
    assert diary.read_text().splitlines()[-1].startswith("stop at")
    assert diary.read_text().startswith("begin sweep 0"), "the sweep's name reached the trial"
