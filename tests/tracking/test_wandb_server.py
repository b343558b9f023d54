"""Runs on a W&B server of ours, and what `wandb sync`, wandb's own reader, makes of offline folders."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ganlab.spec.tracking_sections import WandbSection
from ganlab.tracking import wandb_mode, wandb_service
from ganlab.tracking.jsonl import JsonlTracker
from ganlab.tracking.tracker import FINISHED, INTERRUPTED
from ganlab.tracking.wandb import WandbTracker
from tests.tracking.made import made_spec
from tests.wandb_server import serving

ROOT = Path(__file__).parents[2]
LOWER = {"metric": "swd", "higher_is_better": False}

KILLED = """
import os, sys, time
from pathlib import Path
from ganlab.spec.tracking_sections import WandbSection
from ganlab.tracking.build import build_trackers
from tests.tracking.made import made_spec
run_path = Path(sys.argv[1])
trackers = build_trackers(made_spec(wandb=WandbSection()), run_path)
for moment in (0, 1000, 2000, 3000):
    for tracker in trackers:
        tracker.scalars(moment, {"loss": moment / 1000})
        tracker.metrics(moment, {"swd": 9.0 - moment / 1000}, {"metric": "swd", "higher_is_better": False})
time.sleep(2.5)
os.kill(os.getpid(), 9)
"""

TROUBLED = """
import logging, sys, time
from pathlib import Path
from ganlab.spec.tracking_sections import WandbSection
from ganlab.tracking import wandb as tracking
from ganlab.tracking.build import build_trackers
from ganlab.tracking.tracker import FINISHED, Trackers
from tests.tracking.made import made_spec
logging.basicConfig(format="%(message)s", level=logging.WARNING)
tracking._FINISH_TIMEOUT = 3.0
run_path = Path(sys.argv[1])
trackers = Trackers(build_trackers(made_spec(wandb=WandbSection(mode="online")), run_path))
for moment in (0, 1000, 2000):
    trackers.scalars(moment, {"loss": 1.0})
    time.sleep(3)
trackers.finish(FINISHED)
print("finished", flush=True)
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    with serving(tmp_path, monkeypatch) as server:
        yield server


@pytest.fixture
def run_path(tmp_path):
    path = tmp_path / "runs" / "experiment" / "one"
    (path / "checkpoints").mkdir(parents=True)
    return path


def sync(run_path):
    import wandb

    wandb.teardown()  # as at the end of the process: its service may still be writing
    folders = sorted((run_path / "wandb").glob("offline-run-*"))
    command = [sys.executable, "-m", "wandb", "sync", *map(str, folders)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folders, done.stderr


def tell(run_path, moments, section=None, spec=None, resumed_at=None, status=FINISHED):
    """What a run's trackers are told, as the platform does it; returns the W&B run's id."""
    lines = JsonlTracker(run_path, resumed_at)
    tracker = WandbTracker(section or WandbSection(), run_path, spec or made_spec())
    lines.begin()
    for moment in moments:
        for each in (lines, tracker):
            each.scalars(moment, {"loss": moment / 1000})
            each.metrics(moment, {"swd": 9.0 - moment / 1000}, LOWER)
    lines.finish(status)
    tracker.finish(status)
    return tracker._run.id


def axis(run):
    return [row["images_seen"] for _, row in sorted(run.history.items())]


@pytest.mark.slow
def test_a_run_that_was_killed_and_resumed_offline_is_one_run_after_a_sync(server, run_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(run_path)], cwd=ROOT, timeout=120)
    assert killed.returncode == -9
    time.sleep(1.1)  # folders are named by the second
    tell(run_path, (2000, 3000, 4000, 5000), resumed_at=1000)
    folders, _ = sync(run_path)
    assert len(folders) == 2
    (run,) = server.runs.values()
    assert run.name == "experiment-one"
    assert axis(run) == sorted(axis(run)), "nothing runs backwards"
    assert set(axis(run)) == {0, 1000, 2000, 3000, 4000, 5000}, "nothing is lost"
    assert run.offsets == sorted(run.offsets), "the second folder goes on where the first ended"
    assert run.summary["loss"] == 5.0
    assert run.summary["metrics/swd"] == 4.0, "the last"
    assert run.summary["best/swd"] == 4.0
    assert run.config["kimg"] == 1.0
    assert run.config["architecture"]["loss"] == {"name": "hinge"}
    assert run.facts["groupName"] == "experiment"
    assert run.facts["jobType"] == "train"
    assert set(run.facts["tags"]) == {"toy", "digits", "16px", "hinge", "seed-7"}
    assert server.unknown in ([], ["OrganizationCoreWeaveOrganizationID"] * len(server.unknown))


@pytest.mark.slow
def test_what_a_killed_process_left_empty_does_not_keep_the_run_from_a_sync(server, run_path):
    empty = run_path / "wandb" / "offline-run-20260101_000000-experiment-one"
    empty.mkdir(parents=True)
    (empty / "run-experiment-one.wandb").write_bytes(b":W&B\xbd\x1b\x00"[:7])
    tell(run_path, (0, 1000))
    folders, _ = sync(run_path)
    assert len(folders) == 1
    assert axis(server.runs["experiment-one"]) == [0, 1000]


def test_a_trial_of_a_sweep_says_so(server, run_path, monkeypatch):
    monkeypatch.setenv("GANLAB_SWEEP", "losses on digits")
    monkeypatch.setenv("GANLAB_TRIAL", "7")
    name = tell(run_path, (0,), WandbSection(mode="online", models=False))
    run = server.runs[name]
    assert name == "losses_on_digits-0007-experiment-one"
    assert run.facts["groupName"] == "losses on digits"
    assert run.facts["jobType"] == "sweep"
    assert (run.state, run.exit_code) == ("finished", 0)


def test_a_rollback_leaves_the_axis_monotone(server, run_path):
    tracker = WandbTracker(WandbSection(mode="online", models=False), run_path, made_spec())
    for moment in (0, 1000, 2000):
        tracker.scalars(moment, {"loss": 1.0})
    tracker.rewind(1000)
    for moment in (1500, 2000, 2500):
        tracker.scalars(moment, {"loss": 2.0})
    tracker.finish(FINISHED)
    run = server.runs["experiment-one"]
    assert axis(run) == [0, 1000, 2000, 2500]


def test_resumed_online_it_is_the_same_run(server, run_path):
    section = WandbSection(mode="online", models=False)
    tell(run_path, (0, 1000, 2000), section, status=INTERRUPTED)
    assert wandb_service._process().poll() is None, "wandb's process, for whose end there is a bound"
    run = server.runs["experiment-one"]
    assert (run.state, run.exit_code) == ("preempted", 143)
    tell(run_path, (2000, 3000), section, resumed_at=1000)
    assert list(server.runs) == ["experiment-one"]
    assert sorted(set(axis(run))) == axis(run) == [0, 1000, 2000, 3000]
    assert run.state == "finished"


def test_a_run_that_its_sweep_stopped_early_has_finished(server, run_path, monkeypatch, tmp_path):
    monkeypatch.setenv("GANLAB_STOP_NOTE", str(tmp_path / "stopped-early"))
    (tmp_path / "stopped-early").write_text("hyperband")
    tell(run_path, (0,), WandbSection(mode="online", models=False), status=INTERRUPTED)
    run = server.runs["experiment-one"]
    assert (run.state, run.exit_code, run.summary["stopped_early"]) == ("finished", 0, True)


@pytest.mark.parametrize(("preempted", "state"), [(False, "finished"), (True, "preempted")])
def test_what_an_agent_ends_was_stopped_early_unless_the_agent_has_to_end_itself(
    server, run_path, monkeypatch, tmp_path, preempted, state
):
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep0")
    monkeypatch.setenv("WANDB_RUN_ID", "trial0")
    monkeypatch.setenv("GANLAB_PREEMPTION_NOTE", str(tmp_path / "preempted"))
    if preempted:
        (tmp_path / "preempted").touch()
    tell(run_path, (0,), WandbSection(mode="online", models=False), status=INTERRUPTED)
    assert server.runs["trial0"].state == state


def test_an_error_fails_the_run(server, run_path):
    tell(run_path, (0,), WandbSection(mode="online", models=False), status="stopped: no gradient is finite")
    assert server.runs["experiment-one"].state == "failed"


@pytest.mark.parametrize(("trouble", "reason"), [("500", "answers with error 500"), ("silence", "does not answer")])
def test_a_server_in_trouble_means_offline_with_one_warning(server, run_path, monkeypatch, caplog, trouble, reason):
    monkeypatch.setattr(wandb_mode, "_PROBE_TIMEOUT", 0.5)
    server.trouble = trouble
    tell(run_path, (0, 1000), WandbSection(mode="online"))
    (said,) = [record.getMessage() for record in caplog.records if record.name.startswith("ganlab")]
    assert "W&B is used offline" in said
    assert reason in said
    assert list((run_path / "wandb").glob("offline-run-*"))


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["500", "silence"])
def test_a_server_that_fails_in_the_middle_does_not_keep_the_run_from_its_end(server, run_path, trouble):
    make_checkpoints(run_path, b"last", b"best")
    server.on_row = lambda run: setattr(server, "trouble", trouble)
    command = [sys.executable, "-c", TROUBLED, str(run_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)
    assert server.trouble, "the server was in order in the beginning"
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "finished"
    assert "Traceback" not in ended.stderr
    (said,) = [line for line in ended.stderr.splitlines() if line.startswith("ganlab: warning")]
    assert "did not take everything within 3 s" in said
    (kept,) = (run_path / "wandb").glob("run-*/*.wandb")
    assert f"'wandb sync {kept.parent}'" in said


def make_checkpoints(run_path, last, best):
    for name, content in {"last": last, "best": best}.items():
        (run_path / "checkpoints" / f"{name}.ckpt").write_bytes(content)
    (run_path / "checkpoints" / "best.json").write_text("{}")
    (run_path / "generator.safetensors").write_bytes(last)
    (run_path / "spec.yaml").write_text("name: experiment\n")
    (run_path / "provenance.json").write_text(json.dumps({}))


@pytest.mark.slow
def test_the_last_and_the_best_checkpoint_are_all_that_is_kept(server, run_path):
    section = WandbSection(mode="online")
    for session in range(3):
        make_checkpoints(run_path, b"last %d" % session, b"best %d" % session)
        tell(run_path, (1000 * session,), section, resumed_at=1000 * session - 1 if session else None)
    live = [version for version in server.artifacts.values() if not version.deleted]
    assert len(server.artifacts) == 6
    assert sorted(alias for version in live for alias in version.aliases if alias != "latest") == ["best", "last"]
    assert {version.name for version in live} == {"model-experiment-one"}
    assert all(version.committed and version.kind == "model" for version in live)
    files = {alias: set(version.files) for version in live for alias in version.aliases}
    assert {"checkpoints/last.ckpt", "generator.safetensors", "spec.yaml", "provenance.json"} <= files["last"]
    assert {"checkpoints/best.ckpt", "checkpoints/best.json", "spec.yaml"} <= files["best"]


@pytest.mark.slow
def test_offline_checkpoints_arrive_with_the_sync(server, run_path):
    make_checkpoints(run_path, b"last", b"best")
    tell(run_path, (0,))
    sync(run_path)
    assert {alias for version in server.artifacts.values() for alias in version.aliases} >= {"last", "best"}
