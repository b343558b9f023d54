"""`ganlab plan`: memory by shapes, time by rounds, the largest batch that fits."""

import pytest
import torch
from typer.testing import CliRunner

from ganlab.build import build_dataset, build_module
from ganlab.cli.app import app
from ganlab.errors import DataMissing
from ganlab.recipes import plan as plans
from ganlab.recipes.machine import Machine
from ganlab.recipes.step_memory import MemoryPlan, _Watch
from ganlab.spec import read_spec


@pytest.fixture
def spec(toy_spec):
    return read_spec(toy_spec)


def test_bytes_are_counted_as_long_as_they_are_there():
    with _Watch() as watch:
        kept = torch.empty(100, device="meta")
        for _ in range(3):
            kept + torch.ones(100, device="meta")
        view = kept[:10]
    assert watch.now == 400
    assert watch.peak == 1200
    assert view.untyped_storage().nbytes() == 400


def test_memory_is_that_of_weights_optimizers_and_maps(spec):
    facts = build_dataset(spec.data).facts
    planned, module = MemoryPlan(spec, facts), build_module(spec, facts)
    memory = planned.of_spec()
    state = module.state_dict().values()
    assert memory.weights == sum(value.numel() * value.element_size() for value in state)
    trained = sum(p.numel() for owned in module.trainable.values() for p in owned)
    assert memory.optimizers == 2 * 4 * trained  # Adam's two moments
    assert memory.passing >= 4 * trained  # the gradients alone
    more = planned.of_part(64).passing - planned.of_part(32).passing
    assert more == pytest.approx(planned.of_part(96).passing - planned.of_part(64).passing, rel=0.05)


def test_the_largest_part_is_found(spec):
    planned = MemoryPlan(spec, build_dataset(spec.data).facts)
    for images, limit in ((24, planned.of_part(31).total), (4, planned.of_part(7).total)):
        assert planned.largest_part(limit) == images
    assert planned.largest_part(1) == 0


def test_a_plan_tells_and_warns(spec, tmp_path, monkeypatch):
    told = "\n".join(plans.lines_of(plans.plan_training(spec, tmp_path / "runs")))
    for word in ("parameters", "memory", "measured", "largest batch", "time per kimg", "disk"):
        assert word in told
    assert "warning" not in told
    enough = MemoryPlan(spec, build_dataset(spec.data).facts).of_part(4).total
    monkeypatch.setattr(plans, "this_machine", lambda: Machine(memory_gib=enough / 2**30 / 0.9))
    monkeypatch.setattr(plans, "_on_disk", lambda *given: 2**60)
    small = plans.plan_training(spec, tmp_path)
    first, second = small.warnings()
    assert "the largest part of a batch that fits is 4 images" in first
    assert "checkpoint.keep" in second
    assert small.measured_mib is None


def test_the_command_prints_it(toy_spec, tmp_path):
    arguments = ["plan", str(toy_spec), "data.batch_size=4", "--no-step", "--runs", str(tmp_path)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.exception
    assert result.output.startswith("parameters     ")
    assert "time" not in result.output


def test_unknown_data_are_told(spec, tmp_path, monkeypatch):
    monkeypatch.setattr(plans, "facts_of_data", lambda spec: (None, "no such folder"))
    with pytest.raises(DataMissing, match="does not say what the data are like"):
        plans.plan_training(spec, tmp_path)
