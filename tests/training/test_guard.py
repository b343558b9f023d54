"""A guard that does not wait for the device decides as one that does, only later."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.data.loader import StepLoader
from ganlab.data.records import FileRecord
from ganlab.errors import TrainingStopped
from ganlab.nn import RunningMean
from ganlab.run.checkpoint_callback import CheckpointCallback
from ganlab.run.folder import Run
from ganlab.run.rollback_callback import RollbackCallback
from ganlab.tracking.tracker import Tracker, Trackers
from ganlab.training.guard import Guard
from ganlab.training.scalars import ScalarBuffer
from tests.tiny import Logistic, TinyData, tiny_gan, tiny_settings
from tests.training.fitting import fit


class Exploding(Logistic):
    """Infinite in chosen calls."""

    def __init__(self, bad_calls: set[int]) -> None:
        self.call = -1
        self.bad_calls = bad_calls

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        self.call += 1
        return super().discriminator(real_logits, fake_logits) * (float("inf") if self.call in self.bad_calls else 1.0)


class Remembering(nn.Module):
    side = "discriminator"
    requires = frozenset({"real_logits"})

    def __init__(self) -> None:
        super().__init__()
        self.mean = RunningMean(0.5)

    def penalty(self, views: Views) -> Tensor:
        self.mean.observe(views.real_logits)
        return views.real_logits.square().mean()


def module_with(guard: Guard, bad_calls: set[int]):
    module = tiny_gan(tiny_settings(guard=guard), [WeightedRegularizer("memory", Remembering())])
    module.loss = Exploding(bad_calls)
    return module


def run(folder: Path, guard: Guard, bad_calls: set[int], images: int = 80):
    """Training with a checkpoint at every 24 images; these look at what nobody waited for."""
    module = module_with(guard, bad_calls)
    (folder / "checkpoints").mkdir(parents=True)
    loader = StepLoader(TinyData(), step_size=module.step_size, seed=0)
    checkpoints = CheckpointCallback(0.024, 5, None)
    callbacks = [RollbackCallback(loader, [checkpoints], images), checkpoints]
    for callback in callbacks:
        callback.attach(folder, Trackers())
    fit(module, images, loader=loader, callbacks=callbacks)
    return module


@pytest.mark.parametrize("bad_calls", [{3, 4}, {0}, {9}])
def test_skipped_updates_leave_the_same_trace(tmp_path: Path, bad_calls: set[int]) -> None:
    waiting = run(tmp_path / "waiting", Guard("skip", 2), bad_calls)
    late = run(tmp_path / "late", Guard("skip", 2, waits_on=()), bad_calls)
    for name, value in waiting.state_dict().items():
        assert torch.equal(value, late.state_dict()[name]), name
    assert waiting.settings.guard.state_dict() == late.settings.guard.state_dict()
    assert all(torch.isfinite(parameter).all() for parameter in late.parameters())


def test_too_many_skips_are_noticed_before_anything_is_saved(tmp_path: Path) -> None:
    with pytest.raises(TrainingStopped, match=r"at 32 images .*after 2 skipped updates in a row"):
        run(tmp_path, Guard("skip", 2, waits_on=()), {2, 3, 4})
    assert not (tmp_path / "checkpoints/kimg-000000.048.ckpt").exists()


def test_nothing_changes_after_the_update_that_stops(tmp_path: Path) -> None:
    """The step after the bad one is finite again, and must not train on either."""
    module = module_with(Guard("stop", waits_on=()), {3})
    before: dict[int, Tensor] = {}
    terms = module.generator_terms

    def remember(batch):
        before[module.clock.images_seen] = module.generator.out.weight.detach().clone()
        return terms(batch)

    module.generator_terms = remember
    fit(module, 56)
    assert torch.equal(before[48], before[32])
    assert not torch.equal(before[24], before[16])
    with pytest.raises(TrainingStopped, match=r"discriminator is not finite at 24 images .*loss = inf"):
        module.settings.guard.settle()
    with pytest.raises(TrainingStopped, match="at 24 images"):
        run(tmp_path, Guard("stop", waits_on=()), {3})
    assert Run(tmp_path).last_checkpoint.exists()


def test_a_rollback_follows_before_the_next_checkpoint(tmp_path: Path) -> None:
    module = run(tmp_path, Guard("rollback", waits_on=()), {4})
    assert module.clock.images_seen == 80
    assert module.settings.guard.rollbacks == 1
    assert module.clock.position == 80 + 48 - 24
    assert all(torch.isfinite(parameter).all() for parameter in module.parameters())


@pytest.mark.parametrize("policy", ["stop", "skip", "rollback"])
@pytest.mark.parametrize("waits_on", [("cpu",), ()])
def test_an_example_that_is_not_finite_is_named(tmp_path: Path, policy: str, waits_on: tuple[str, ...]) -> None:
    """The checks before a training do not read all of large sets."""

    class Spoilt(TinyData):
        def __init__(self) -> None:
            super().__init__()
            self.images = self.images.float()
            self.images[17, 0, 1, 2] = torch.nan

        def inspect(self):
            return (FileRecord(f"{index}.tif") for index in range(len(self)))

    module = tiny_gan(tiny_settings(guard=Guard(policy, 2, waits_on)))
    loader = StepLoader(Spoilt(), step_size=module.step_size, seed=0)
    trackers = Trackers([told := Diary()])
    checkpoints = CheckpointCallback(0.008, 5, None)
    callbacks = [RollbackCallback(loader, [checkpoints], 56), checkpoints]
    for callback in callbacks:
        callback.attach(tmp_path, trackers)
    if policy == "stop":
        with pytest.raises(TrainingStopped, match=r"neither are the data: example 17 of the data set \(17.tif\) holds"):
            fit(module, 56, loader=loader, callbacks=callbacks)
        return
    fit(module, 56, loader=loader, callbacks=callbacks)
    assert any("example 17 of the data set (17.tif)" in text for text in told.texts)
    assert all(math.isfinite(value) for value in module.scalars.reduce().values())


class Diary(Tracker):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def event(self, images_seen, kind, text, values=None) -> None:
        self.texts.append(text)


def test_a_line_of_the_log_has_no_number_that_is_none() -> None:
    scalars = ScalarBuffer()
    scalars.add("lost", torch.tensor(torch.nan))
    scalars.add("kept", torch.tensor(torch.inf))
    scalars.add("kept", torch.tensor(2.0))
    assert scalars.reduce() == {"kept": 2.0}
