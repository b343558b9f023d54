"""`ganlab.load`: the generator of a run's folder or name, with what the run was trained as."""

import json

import pytest
import torch

import ganlab
from ganlab.build import build_dataset, build_module
from ganlab.errors import RunError
from ganlab.run.folder import create_run, open_run
from ganlab.spec import read_spec
from ganlab.training.checkpoint import module_state, save_checkpoint


@pytest.fixture
def run(toy_spec, tmp_path):
    spec = read_spec(toy_spec)
    facts = build_dataset(spec.data).facts
    run = create_run(tmp_path / "runs", spec.name)
    (run.path / "spec.yaml").write_text(toy_spec.read_text())
    (run.path / "provenance.json").write_text(json.dumps({"facts": facts.to_record()}))
    save_checkpoint(run.last_checkpoint, module_state(build_module(spec, facts)))
    return run


def test_a_run_is_loaded_by_folder_and_by_name(run, tmp_path):
    by_folder = ganlab.load(run.path, device="cpu")
    by_name = ganlab.load("toy", runs=tmp_path / "runs", checkpoint=run.last_checkpoint)
    assert by_folder.name == by_name.name == "toy"
    assert by_folder.facts == run.facts
    images = by_folder.sample(3, seed=2)
    assert images.shape == (3, 1, 4, 4)
    assert torch.equal(images.cpu(), by_name.sample(3, seed=2).cpu())
    module = open_run(run.path).load_module("cpu")
    assert torch.equal(images, ganlab.TrainedGenerator(module).sample(3, seed=2))
    assert not by_folder.module.training


def test_what_is_no_run_is_told(run, tmp_path):
    with pytest.raises(RunError, match="is no run"):
        ganlab.load("other", runs=tmp_path / "runs")
    with pytest.raises(RunError, match="checkpoint"):
        ganlab.load(run.path, checkpoint=tmp_path / "none.ckpt")
