"""Resuming with other values than a run was trained with."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
import yaml

from ganlab.errors import RunError
from ganlab.run.run_callback import Resume
from ganlab.run.session import train
from ganlab.spec import read_spec
from ganlab.training.checkpoint import load_checkpoint


@pytest.fixture
def toy_runs(toy_spec, tmp_path):
    """Trains the toy family, with overrides, in one folder."""

    def start(*overrides, resume=None):
        spec = read_spec(toy_spec, ["tracking.progress=false", "tracking.wandb=null", *overrides])
        return train(spec, tmp_path / "runs", resume).run

    return start


def test_what_decides_the_training_is_listed_and_asked_for(toy_runs) -> None:
    run = toy_runs()
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    changes = ("seed=3", "data.batch_size=4", "optimizers.generator.lr=0.01", "optimizers.generator.betas=[0.5,0.9]")
    with pytest.raises(RunError) as refused:
        toy_runs("kimg=0.128", *changes, "tracking.every_kimg=2", resume=Resume())
    assert str(refused.value).splitlines() == [
        f"{run.path} was trained with other values than are given now:",
        "  seed: 0 -> 3",
        "  data.batch_size: 8 -> 4",
        "  optimizers.generator.lr: 0.0002 -> 0.01",
        "  optimizers.generator.betas: [0.0, 0.99] -> [0.5, 0.9]",
        "'--change' goes on with the new ones; to go on as before, give the values on the left",
    ]
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


def test_a_longer_training_and_what_is_beside_it_go_without_asking(toy_runs) -> None:
    toy_runs()
    beside = ("tracking.every_kimg=2", "checkpoint.keep=5", "evaluation.samples=8", "snapshots=null", "data.workers=1")
    run = toy_runs("kimg=0.128", *beside, resume=Resume())
    assert load_checkpoint(run.last_checkpoint)["clock"]["images_seen"] == 128
    (session,) = json.loads((run.path / "provenance.json").read_text())["resumed"]
    assert session["changes"]["kimg"] == ["0.064", "0.128"]
    assert session["changes"]["evaluation.samples"] == ["16", "8"]
    with pytest.raises(RunError, match=r"kimg: 0\.128 -> 0\.096"):
        toy_runs("kimg=0.096", *beside, resume=Resume())


def test_accepted_options_of_optimizers_hold_from_there_on(toy_runs) -> None:
    """The checkpoint's went on before."""
    toy_runs("checkpoint.keep=5")
    run = toy_runs("checkpoint.keep=5", "optimizers.generator.lr=0.0", "kimg=0.128", resume=Resume(change=True))
    at = {n: load_checkpoint(run.checkpoints / f"kimg-000000.{n}.ckpt") for n in ("064", "128")}
    generator = [name for name in at["064"]["module"] if name.startswith("generator.")]
    critic = [name for name in at["064"]["module"] if name.startswith("discriminator.") and "weight" in name]
    assert all(torch.equal(at["064"]["module"][name], at["128"]["module"][name]) for name in generator)
    assert not any(torch.equal(at["064"]["module"][name], at["128"]["module"][name]) for name in critic)
    assert at["128"]["optimizers"]["generator"]["param_groups"][0]["lr"] == 0.0
    assert at["128"]["optimizers"]["generator"]["state"][0]["step"] == 16, "its averages went on"


@pytest.mark.parametrize(
    ("before", "after", "afresh"),
    [("adam", "rmsprop", True), ("{name: sgd, lr: 0.1}", "{name: sgd, lr: 0.1, momentum: 0.9}", False),
     ("adam", "{name: adamw, lr: 0.001}", False), ("{name: sgd, momentum: 0.9}", "{name: sgd}", False)],
)  # fmt: skip
def test_an_optimizer_that_keeps_other_averages_starts_afresh(toy_runs, caplog, before, after, afresh) -> None:
    toy_runs(f"optimizers.generator={before}")
    toy_runs(f"optimizers.generator={after}", "kimg=0.128", resume=Resume(change=True))
    assert ("starts afresh: it was another optimizer before" in caplog.text) == afresh


def test_other_data_are_listed_too(tiny_runs, monkeypatch) -> None:
    from ganlab.run import session
    from tests.tiny import TinyData

    tiny_runs.train()
    other = TinyData()
    other.facts = replace(other.facts, fingerprint="other")
    monkeypatch.setattr(session, "open_dataset", lambda node: other)
    with pytest.raises(RunError, match="the data's fingerprint: tiny -> other"):
        tiny_runs.train(kimg=0.064, resume=True)
    tiny_runs.train(kimg=0.064, resume=True, change=True)
    tiny_runs.train(kimg=0.08, resume=True)  # they are the run's by now


def test_a_run_is_named_by_its_folder_its_id_or_its_experiment(toy_runs, tmp_path) -> None:
    run = toy_runs()
    toy_runs()
    for moment, name in enumerate((run.path, run.path.name, "toy"), start=2):
        resumed = toy_runs(f"kimg={0.064 * moment}", resume=Resume(name))
        assert (resumed.path == run.path) == (name != "toy")
    with pytest.raises(RunError, match="there is no run to resume 'nosuch', neither as a folder nor as a name below"):
        toy_runs(resume=Resume("nosuch"))
    assert yaml.safe_load((tmp_path / "toy.yaml").read_text())["kimg"] == 0.064
