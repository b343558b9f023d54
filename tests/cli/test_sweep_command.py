from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganlab.errors import UserError
from ganlab.sweeps.results import read_sweep
from tests.cli.commands import run_command

TRAIN = Path(__file__).parents[1] / "sweeps/train.py"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    return run_command


@pytest.fixture
def sweep(tmp_path, toy_spec) -> Path:
    content = {
        "method": "grid",
        "command": ["${interpreter}", str(TRAIN), str(toy_spec), "${args_no_hyphens}"],
        "metric": {"name": "metrics/toy"},
        "parameters": {"kimg": {"values": [0.032, 0.064]}, "seed": {"values": [0, 1]}},
    }
    path = tmp_path / "toy-sweep.yaml"
    path.write_text(json.dumps(content))
    return path


def test_a_sweep_runs_to_its_end_and_its_last_line_is_its_folder(run, sweep, tmp_path) -> None:
    result = run("sweep", sweep)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{sweep}: ok: 4 trials by grid, each configuration with 2 seeds")
    assert lines[-1] == str(tmp_path / "runs/sweeps/toy-sweep")
    assert "trials         4 of 4: 4 finished" in lines
    assert "best           trial 0: metrics/toy 0.8 at 3 kimg" in lines
    assert "               kimg=0.032 seed=0" in lines
    results = read_sweep(lines[-1])
    assert [len(group.trials) for group in results.groups] == [2, 2]
    again = run("sweep", "run", sweep)
    assert "begins" not in again.stdout
    assert again.stdout.splitlines()[-1] == lines[-1]


def test_a_sweep_whose_trials_all_fail_has_an_exit_code(run, sweep) -> None:
    content = json.loads(sweep.read_text())
    content["command"][1] = "no-such-script.py"
    sweep.write_text(json.dumps(content))
    result = run("sweep", sweep)
    assert result.exit_code == 1
    assert "trial 3 failed: " in result.stdout
    assert "no-such-script.py" in result.stdout


def test_check_looks_at_a_sweep_among_specs(run, sweep, toy_spec) -> None:
    result = run("check", toy_spec, sweep, "--seconds-per-kimg", "100")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{toy_spec}: ok\n{sweep}: ok: 4 trials by grid")
    assert "about 19 seconds one after the other, at 100 s per kimg (as you say)" in result.stdout
    sweep.write_text(sweep.read_text().replace("0.032", '"long"').replace('"grid"', '"grid", "run_capp": 3'))
    result = run("check", sweep)
    assert result.exit_code == 2
    assert "run_capp: unknown key" in result.stderr
    sweep.write_text(sweep.read_text().replace(', "run_capp": 3', ""))
    result = run("check", sweep)
    assert result.exit_code == 2
    assert f"{sweep}:1: override 'kimg=long': kimg: needs a number from 0.001" in result.stderr


def test_a_bad_sweep_or_storage_is_a_sentence(run, sweep) -> None:
    with pytest.raises(UserError, match="cannot read the sweep 'none.yaml'"):
        run("sweep", "none.yaml")
    with pytest.raises(UserError, match="SQLite is not safe"):
        run("sweep", sweep, "--storage", "sqlite:///here.db")
    with pytest.raises(UserError, match="no sweep's folder"):
        run("sweep", "work", ".")


def test_the_servers_search_takes_no_options_of_ours(run, sweep, monkeypatch) -> None:
    result = run("sweep", sweep, "--wandb", "--search-seed", "1")
    assert result.exit_code == 2
    assert "--search-seed" in result.stderr
    asked = []
    monkeypatch.setattr(
        "ganlab.sweeps.hosted.run_hosted", lambda found, agents: asked.append((found.name, agents)) or 7
    )
    assert run("sweep", sweep, "--wandb", "--workers", "3").exit_code == 7
    assert asked == [("toy-sweep", 3)]


def test_train_takes_a_spec_among_its_overrides(run, toy_spec) -> None:
    with pytest.raises(UserError, match="kimg: needs a number from 0.001"):
        run("train", "kimg=long", f"spec={toy_spec}")
