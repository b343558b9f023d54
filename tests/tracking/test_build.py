"""The trackers that a spec asks for, and provenance."""

import json
import subprocess
import sys

import pytest
import torch

from ganlab.contracts import DataFacts
from ganlab.spec.model import Node, Spec
from ganlab.spec.tracking_sections import TrackioSection, WandbSection
from ganlab.tracking.build import build_trackers, wandb_section
from ganlab.tracking.provenance import describe_repository, write_provenance
from tests.tracking.made import made_spec


def test_only_files_unless_more_is_asked_for(tmp_path):
    assert [tracker.name for tracker in build_trackers(made_spec(), tmp_path)] == ["log.jsonl"]


def test_a_trial_of_an_agent_is_online_whatever_the_spec_says():
    agent = {"WANDB_SWEEP_ID": "abc"}
    for section in (None, WandbSection(), WandbSection(mode="disabled")):
        assert wandb_section(made_spec(wandb=section), agent).mode == "online"
    assert wandb_section(made_spec(wandb=WandbSection(mode="disabled")), {}) is None


def test_tensorboard_writes_events(tmp_path):
    _, tracker = build_trackers(made_spec(tensorboard=True), tmp_path)
    tracker.scalars(1000, {"discriminator/loss": 0.5})
    tracker.metrics(1000, {"swd/average": 2.0}, {})
    tracker.finish("finished")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert {"discriminator/loss", "metrics/swd/average"} <= set(events.Tags()["scalars"])
    (event,) = events.Scalars("discriminator/loss")
    assert (event.step, event.value) == (1000, 0.5)


@pytest.mark.parametrize(
    ("module", "tracking", "name"),
    [
        ("wandb", {"wandb": WandbSection()}, "W&B"),
        ("tensorboard", {"tensorboard": True}, "TensorBoard"),
        ("trackio", {"trackio": TrackioSection()}, "Trackio"),
    ],
)
def test_a_missing_package_costs_one_warning(tmp_path, monkeypatch, caplog, module, tracking, name):
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "torch.utils.tensorboard", raising=False)
    trackers = build_trackers(made_spec(**tracking), tmp_path)
    assert [tracker.name for tracker in trackers] == ["log.jsonl"]
    (record,) = caplog.records
    assert record.getMessage().startswith(f"ganlab: warning: {name} cannot start")


def test_provenance_says_what_a_run_was_made_with(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["ganlab", "train", "x.yaml"])
    spec = made_spec()
    spec = Spec(**{**vars(spec), "data": Node("optimizers", "sgd"), "architecture": Node("optimizers", "adamw")})
    facts = DataFacts((2,), 5, "print", (-1.0, 1.0), ("a", "b"), {"centres": torch.zeros(1, 2)})
    write_provenance(tmp_path, spec, facts)
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert record["command"] == ["ganlab", "train", "x.yaml"]
    assert record["seed"] == 7
    assert record["packages"]["torch"] == torch.__version__.split("+")[0]
    assert set(record["plugins"]) == {"optimizers/sgd", "optimizers/adamw", "optimizers/adam"}
    assert record["facts"] == {
        "shape": [2],
        "size": 5,
        "fingerprint": "print",
        "value_range": [-1.0, 1.0],
        "class_names": ["a", "b"],
        "extras": {"centres": [[0.0, 0.0]]},
        "inputs": {},
        "frames": 0,
        "further": {},
        "held_out": None,
    }
    write_provenance(tmp_path, spec, facts, resumed_at=3000)
    again = json.loads((tmp_path / "provenance.json").read_text())
    assert again["started"] == record["started"]
    assert [resumed["images_seen"] for resumed in again["resumed"]] == [3000]


def test_the_state_of_the_repository(tmp_path):
    assert describe_repository(tmp_path) is None
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "x"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    state = describe_repository(tmp_path)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "new").touch()
    assert describe_repository(tmp_path)["dirty"] is True
