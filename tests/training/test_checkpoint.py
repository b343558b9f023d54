"""Checkpoints: whole or absent, plain, kept in number, and something to go back to."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ganlab.data.loader import StepLoader
from ganlab.errors import RunError, TrainingStopped
from ganlab.run.checkpoint_callback import CheckpointCallback
from ganlab.run.checkpoint_files import take_checkpoint, take_newest
from ganlab.run.folder import Run
from ganlab.run.rollback_callback import RollbackCallback
from ganlab.tracking.tracker import Trackers
from ganlab.training.checkpoint import (
    export_generator,
    load_checkpoint,
    module_state,
    read_generator,
    restore_module,
    save_checkpoint,
)
from ganlab.training.guard import Guard
from ganlab.training.module import GANModule
from tests.acceptance.commands import differences
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


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A checkpoint with optimizers' averages."""
    save_checkpoint(tmp_path / "a.ckpt", module_state(fit(tiny_gan(), 8)))
    return tmp_path / "a.ckpt"


def other_archive() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10**6))
    return memory.getvalue()


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it is empty"),
        (b"garbage", "it was cut off, or is no checkpoint at all"),
        (None, "it was cut off, or is no checkpoint at all"),
        (pickle.dumps({"format": 1}), "it was cut off, or is no checkpoint at all"),
        (other_archive(), "it is an archive of another kind"),
    ],
)
def test_a_damaged_checkpoint_is_a_sentence(saved: Path, content: bytes | None, cause: str) -> None:
    saved.write_bytes(saved.read_bytes()[:500] if content is None else content)
    with pytest.raises(RunError) as damaged:
        load_checkpoint(saved)
    assert str(damaged.value) == f"the checkpoint {saved} cannot be read: {cause}"


def test_no_flipped_bit_goes_unnoticed(saved: Path) -> None:
    """Of 300 once 204 were loaded with other values."""
    whole, before = saved.read_bytes(), load_checkpoint(saved)
    sentences = []
    for place in range(0, 8 * len(whole), 8 * len(whole) // 300):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        saved.write_bytes(damaged)
        try:
            assert differences(load_checkpoint(saved), before) == []  # it was between the parts
        except RunError as error:
            sentences.append(str(error))
    assert len(sentences) > 150
    assert all(sentence.startswith(f"the checkpoint {saved} ") for sentence in sentences)


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9, 0.999])
def test_a_checkpoint_that_was_cut_off_anywhere_is_noticed(saved: Path, cut: float) -> None:
    saved.write_bytes(saved.read_bytes()[: int(cut * saved.stat().st_size)])
    with pytest.raises(RunError, match="cannot be read"):
        load_checkpoint(saved)


WRONG: dict[str, Callable[[dict[str, Any]], Any]] = {
    "format": lambda state: state.update(format="1"),
    "no clock": lambda state: state.pop("clock"),
    "no images": lambda state: state["clock"].pop("images_seen"),
    "images": lambda state: state["clock"].update(images_seen="many"),
    "updates": lambda state: state["clock"].update(updates=3),
    "guard": lambda state: state.update(guard=[]),
    "rollbacks": lambda state: state["guard"].update(rollbacks=None),
    "no networks": lambda state: state.update(module={}),
    "a number for a tensor": lambda state: state["module"].update({"generator.out.bias": 3}),
    "another shape": lambda state: state["module"].update({"generator.out.bias": torch.zeros(3)}),
    "another network": lambda state: state["module"].update({"generator.more": torch.zeros(3)}),
    "keys": lambda state: state.update(module={3: torch.zeros(3)}),
    "no optimizer": lambda state: state["optimizers"].pop("generator"),
    "optimizer": lambda state: state["optimizers"].update(generator=None),
    "no groups": lambda state: state["optimizers"]["generator"].pop("param_groups"),
    "averages": lambda state: state["optimizers"]["generator"].update(state=[]),
    "average": lambda state: state["optimizers"]["generator"]["state"].update({0: 5}),
    "parameters": lambda state: state["optimizers"]["generator"]["param_groups"][0].update(params=[0]),
    "scalars": lambda state: state.update(scalars={"loss": 3}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_parts_of_another_kind_are_a_sentence_and_the_one_before_is_taken(saved: Path, caplog, wrong: str) -> None:
    state = load_checkpoint(saved)
    saved.rename(saved.with_name("kimg-000000.008.ckpt"))
    WRONG[wrong](state)
    last = saved.with_name("last.ckpt")
    save_checkpoint(last, state)
    module = tiny_gan()
    with pytest.raises(RunError, match=f"the checkpoint {last} (cannot be read|does not fit the spec)"):
        take_checkpoint(last, partial(restore_module, module))
    assert take_newest(tmp := saved.parent, partial(restore_module, module)) == tmp / "kimg-000000.008.ckpt"
    assert f"the checkpoint {last}" in caplog.text
    assert "kimg-000000.008.ckpt is taken instead" in caplog.text
    assert module.clock.images_seen == 8


def test_an_exported_generator_is_held_against_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "generator.safetensors"
    export_generator(path, tiny_gan(batch_norm=True))
    whole = path.read_bytes()
    assert differences(read_generator(path)[1], load_file(path)) == []
    sentences = []
    for place in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        try:
            assert differences(read_generator(path)[1], load_file(path)) == []
        except RunError as error:
            sentences.append(str(error))
        else:
            assert place < len(whole) - 4 * sum(value.numel() for value in load_file(path).values())
    assert all(sentence.startswith(f"'{path}' ") for sentence in sentences)
    for content in (b"", whole[:100], b"PK", whole[:-1]):
        path.write_bytes(content)
        with pytest.raises(RunError, match="is damaged or no safetensors file"):
            read_generator(path)
    save_file({"a": torch.zeros(2)}, path)  # of another program
    assert list(read_generator(path)[1]) == ["a"]


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return Path.touch, (marker,)

    torch.save({"format": 1, "evil": Evil()}, tmp_path / "a.ckpt")
    with pytest.raises(RunError, match="it holds something else than tensors and plain values, which could run code"):
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


def test_an_exported_generator_is_the_same_file_every_time(tmp_path: Path) -> None:
    """Safetensors draws the order of its metadata anew for each file."""
    module, contents = tiny_gan(), set()
    module.settings.made_from = {"name": "tiny"}
    for place in range(8):
        export_generator(tmp_path / f"{place}.safetensors", module)
        contents.add((tmp_path / f"{place}.safetensors").read_bytes())
    assert len(contents) == 1
    assert load_file(tmp_path / "0.safetensors").keys() == module.averages.copies.state_dict().keys()
