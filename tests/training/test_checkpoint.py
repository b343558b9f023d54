"""Checkpoints: whole or absent, plain, kept in number, and something to go back to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ganlab.data.loader import StepLoader
from ganlab.errors import RunError, TrainingStopped
from ganlab.run.checkpoint_callback import CheckpointCallback
from ganlab.run.folder import Run
from ganlab.run.rollback_callback import RollbackCallback
from ganlab.tracking.tracker import Trackers
from ganlab.training.checkpoint import load_checkpoint, module_state, save_checkpoint
from ganlab.training.guard import Guard
from ganlab.training.module import GANModule
from tests.tiny import TinyData, tiny_gan, tiny_settings
from tests.training.fitting import fit
from tests.training.test_module import Exploding


def fit_with_checkpoints(module: GANModule, folder: Path, images: int, every: int, keep: int = 100) -> Run:
    run = Run(folder)
    run.checkpoints.mkdir(parents=True, exist_ok=True)
    loader = StepLoader(TinyData(), step_size=module.step_size, seed=0)
    checkpoints = CheckpointCallback(every / 1000, keep, None)
    callbacks = [RollbackCallback(loader, [checkpoints]), checkpoints]
    for callback in callbacks:
        callback.attach(folder, Trackers())
    fit(module, images, callbacks=callbacks, loader=loader)
    return run


def names(run: Run) -> list[str]:
    return sorted(path.name for path in run.checkpoints.iterdir())


def test_checkpoints_are_named_by_images_seen(tmp_path: Path) -> None:
    module = tiny_gan(discriminator_steps=5)
    run = fit_with_checkpoints(module, tmp_path, images=6400, every=1600)
    expected = [f"kimg-{label}.ckpt" for label in ("000000", "000001.600", "000003.200", "000004.800", "000006.400")]
    assert names(run) == [*expected, "last.ckpt"]
    state = load_checkpoint(run.checkpoints / "kimg-000003.200.ckpt")
    assert state["clock"]["images_seen"] == 3200
    kinds = {name.split(".")[0] for name in state["module"]}
    assert {"generator", "discriminator", "averages"} <= kinds


def test_the_oldest_checkpoints_go(tmp_path: Path) -> None:
    run = fit_with_checkpoints(tiny_gan(), tmp_path, images=80, every=16, keep=2)
    assert names(run) == ["kimg-000000.064.ckpt", "kimg-000000.080.ckpt", "last.ckpt"]


def test_the_averaged_generator_is_exported(tmp_path: Path) -> None:
    module = tiny_gan()
    run = fit_with_checkpoints(module, tmp_path, images=16, every=16)
    for name, value in load_file(run.path / "generator.safetensors").items():
        torch.testing.assert_close(value, module.averages.copies.state_dict()[name])


def test_a_write_that_fails_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, {"bad": lambda: 0})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"garbage", None])
def test_a_damaged_checkpoint_is_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.ckpt"
    module = fit(tiny_gan(), 8)
    save_checkpoint(path, module_state(module))
    path.write_bytes(path.read_bytes()[:500] if content is None else content)
    with pytest.raises(RunError, match="cannot be read|no checkpoint of this version"):
        load_checkpoint(path)


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return Path.touch, (marker,)

    torch.save({"format": 1, "evil": Evil()}, tmp_path / "a.ckpt")
    with pytest.raises(RunError):
        load_checkpoint(tmp_path / "a.ckpt")
    assert not marker.exists()


def test_rollback_goes_on_from_the_last_checkpoint_with_new_data(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    module = tiny_gan(tiny_settings(guard=Guard("rollback", limit=2)))
    module.loss = Exploding({7})  # the update that starts at 56 images
    run = fit_with_checkpoints(module, tmp_path, images=80, every=24)
    assert module.clock.images_seen == 80
    # 48 images had been saved; 64 had been read when the gradient exploded.
    assert module.clock.position == 80 + (64 - 48)
    assert module.settings.guard.rollbacks == 1
    assert "rolled back to 48 images (1 of 2)" in capsys.readouterr().out
    assert load_checkpoint(run.last_checkpoint)["clock"]["position"] == 96


def test_too_many_rollbacks_stop_the_training(tmp_path: Path) -> None:
    module = tiny_gan(tiny_settings(guard=Guard("rollback", limit=2)))
    module.loss = Exploding(set(range(7, 100)))
    with pytest.raises(TrainingStopped, match="after 2 rollbacks"):
        fit_with_checkpoints(module, tmp_path, images=80, every=24)


def test_a_checkpoint_is_json_apart_from_its_tensors() -> None:
    def plain(value):
        if isinstance(value, dict):
            return {str(key): plain(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [plain(part) for part in value]
        return None if isinstance(value, torch.Tensor) else value

    assert json.dumps(plain(module_state(fit(tiny_gan(), 8))))
