"""`ganlab sample` and `ganlab evaluate` on all kinds of damage: a sentence with file and cause, exit code 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from ganlab.build import build_dataset, build_module
from ganlab.cli.app import app
from ganlab.errors import RunError
from ganlab.run.folder import Run, create_run
from ganlab.spec import dump, read_spec
from ganlab.training.checkpoint import export_generator, module_state, save_checkpoint

Damage = Callable[[Path], Any]
COMMANDS = (["sample", "--count", "2"], ["evaluate", "--metrics", "toy", "--samples", "8"])


@pytest.fixture
def run(toy_spec, tmp_path) -> Run:
    spec = read_spec(toy_spec)
    facts = build_dataset(spec.data).facts
    run = create_run(tmp_path / "runs", spec.name)
    (run.path / "spec.yaml").write_text(dump(spec))
    (run.path / "provenance.json").write_text(json.dumps({"facts": facts.to_record()}))
    module = build_module(spec, facts)
    save_checkpoint(run.last_checkpoint, module_state(module))
    export_generator(run.generator, module)
    return run


def cut(share: float) -> Damage:
    return lambda path: path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])


def flip(share: float) -> Damage:
    def damage(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 4
        path.write_bytes(content)

    return damage


def becomes_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def changed(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """A checkpoint that is written again, whole, with another content."""

    def damage(path: Path) -> None:
        state = torch.load(path, weights_only=True)
        other = change(state)
        torch.save(state if other is None else other, path)

    return damage


def with_tensors(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """A generator's file with other tensors below the same header, without the checksum."""

    def damage(path: Path) -> None:
        from safetensors import safe_open

        with safe_open(path, "pt") as opened:
            header = {name: text for name, text in opened.metadata().items() if name != "sha256"}
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path, header)

    return damage


def first(tensors: dict[str, Any]) -> str:
    return next(iter(tensors))


ANY: dict[str, Damage] = {
    "empty": cut(0),
    "cut at the start": cut(0.05),
    "cut in the middle": cut(0.5),
    "cut at the end": cut(0.999),
    "no such file": lambda path: path.unlink(),
    "text": lambda path: path.write_text("not a checkpoint"),
    "a folder": becomes_folder,
}
CHECKPOINT: dict[str, Damage] = ANY | {
    "a flipped bit": flip(0.5),
    "a list": changed(lambda state: [state]),
    "without networks": changed(lambda state: state.pop("module")),
    "without a moment": changed(lambda state: state["clock"].clear()),
    "a moment of text": changed(lambda state: state["clock"].update(images_seen="many")),
    "networks of numbers": changed(lambda state: state.update(module=[1, 2])),
    "a weight of text": changed(lambda state: state["module"].update({first(state["module"]): "text"})),
    "a weight too few": changed(lambda state: state["module"].pop(first(state["module"]))),
    "a weight of another shape": changed(lambda state: state["module"].update({first(state["module"]): torch.ones(7)})),
    "another format": changed(lambda state: state.update(format="1")),
    "another architecture's": changed(lambda state: state.update(module={"layers.0.weight": torch.ones(3)})),
}
GENERATOR: dict[str, Damage] = ANY | {
    "a flipped bit": flip(0.98),
    "a flipped bit in the header": flip(0.01),
    "a weight too few": with_tensors(lambda tensors: tensors.pop(first(tensors))),
    "a weight of another shape": with_tensors(lambda tensors: tensors.update({first(tensors): torch.ones(7)})),
    "another architecture's": with_tensors(lambda t: (t.clear(), t.update({"layers.0.weight": torch.ones(3)}))),
    "no weights": with_tensors(lambda tensors: tensors.clear()),
}


def said_of(reference: Path, command: list[str], out: Path) -> str:
    name, *options = command
    made = ["--out", str(out)] if name == "sample" else []
    ended = CliRunner().invoke(app, [name, str(reference), *options, *made])
    assert isinstance(ended.exception, RunError), ended.exception or ended.output
    assert ended.exception.exit_code == 2
    assert not out.exists()
    return str(ended.exception)


def check_sentence(said: str, path: Path) -> None:
    assert str(path) in said or f"in {path.parent}" in said
    assert len(said.split()) >= 5
    assert "\n" not in said
    assert "weights_only" not in said


@pytest.mark.parametrize("command", COMMANDS, ids=("sample", "evaluate"))
@pytest.mark.parametrize("damage", CHECKPOINT.values(), ids=CHECKPOINT)
def test_a_damaged_checkpoint(run, tmp_path, damage, command) -> None:
    damage(run.last_checkpoint)
    check_sentence(said_of(run.path, command, tmp_path / "out"), run.last_checkpoint)


@pytest.mark.parametrize("command", COMMANDS, ids=("sample", "evaluate"))
@pytest.mark.parametrize("damage", GENERATOR.values(), ids=GENERATOR)
def test_a_damaged_generator(run, tmp_path, damage, command) -> None:
    damage(run.generator)
    check_sentence(said_of(run.generator, command, tmp_path / "out"), run.generator)
