"""Commands on a run that was really trained, from the folder of its start and from another one."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
import yaml
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import DataError, RunError, UserError
from ganlab.tracking.jsonl import read_records


def ganlab(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(result.exception, UserError):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def write_spec(path, **changes):
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"tracking": {"progress": False}} | changes))


@pytest.fixture
def trained(toy_spec, monkeypatch):
    """The folder of a run of the toy family, which is also the folder that was worked in."""
    write_spec(toy_spec, checkpoint={"every_kimg": 0.032, "keep": 5})
    monkeypatch.chdir(toy_spec.parent)
    result = ganlab("train", toy_spec)
    return Path(result.stdout.splitlines()[-1])


def test_runs_are_shown_and_compared_by_folder_or_name(trained, toy_spec):
    name = trained.parent.name
    assert ganlab("show", trained, "--plain").stdout == (trained / "spec.yaml").read_text()
    assert ganlab("show", name, "--plain").stdout == (trained / "spec.yaml").read_text()
    assert ganlab("diff", trained, toy_spec).stdout == "no differences\n"
    assert "generator" in ganlab("plan", name, "--no-step").stdout
    assert ganlab("describe", name).stdout == ganlab("describe", toy_spec).stdout
    other = toy_spec.with_name("other.yaml")
    other.write_text("extends: toy.yaml\nseed: 7\n")
    assert ganlab("diff", trained, other).stdout.split()[:4] == ["seed", "0", "->", "7"]
    with pytest.raises(RunError, match="is no run"):
        ganlab("diff", trained.parent.parent.parent, other)


def test_a_folder_with_the_name_of_an_experiment_does_not_hide_its_runs(trained):
    name = trained.parent.name
    Path(name).mkdir()
    assert ganlab("show", name, "--plain").stdout == (trained / "spec.yaml").read_text()
    resumed = ganlab("train", "toy.yaml", "kimg=0.2", "--resume", name)
    assert resumed.stdout.splitlines()[-1] == str(trained)


def test_a_checkpoint_is_chosen_by_its_file_or_its_kimg(trained, tmp_path):
    kept = sorted(path.name for path in (trained / "checkpoints").glob("kimg-*"))
    assert kept == ["kimg-000000.032.ckpt", "kimg-000000.064.ckpt", "kimg-000000.ckpt"]
    written = {}
    for chosen in (None, "0.064", "0.032", trained / "checkpoints" / "kimg-000000.032.ckpt"):
        out = tmp_path / f"out{len(written)}"
        options = [] if chosen is None else ["--checkpoint", chosen]
        ganlab("sample", trained, "--count", 2, "--out", out, *options)
        written[chosen] = [path.read_bytes() for path in sorted(out.iterdir())]
    newest, same, earlier, by_file = written.values()
    assert newest == same != earlier == by_file
    for wrong in ("0.05", "nothing", "inf"):
        with pytest.raises(RunError, match=r"thousands of images in .*: 0, 0\.032, 0\.064"):
            ganlab("sample", trained, "--count", 2, "--out", tmp_path / "new", "--checkpoint", wrong)


def test_evaluations_are_kept_in_the_run_with_their_protocol(trained):
    assert "" not in ganlab("evaluate", trained).stderr.splitlines()  # no rest of a progress bar
    (trained / "evaluations.jsonl").open("a").write('{"images_seen": 6')  # cut off by a crash
    ganlab("evaluate", trained, "--samples", 8, "--checkpoint", "0.032")
    first, second = read_records(trained / "evaluations.jsonl")
    (measured,) = [r for r in read_records(trained / "metrics.jsonl") if r["images_seen"] == 64]
    assert {name: first[name] for name in measured} == measured
    assert (second["images_seen"], second["protocol"]["samples"], second["checkpoint"]) == (32, 8, "0.032")


DATA_OF_A_FILE = """
from pathlib import Path

from ganlab.errors import DataError
from ganlab_toy import ToyData


class FileData(ToyData):
    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = Path(path)

    def __getitem__(self, index):
        if not self.path.exists():
            raise DataError(f"'{self.path}' is not there")
        return super().__getitem__(index)
"""


def test_evaluate_works_from_another_folder(install, toy_spec, monkeypatch):
    """The examples are read, when they are needed, from a file whose path is relative."""
    install("file-data", {"datasets": {"file": "file_data:FileData"}}, {"file_data": DATA_OF_A_FILE})
    home, elsewhere = toy_spec.parent, toy_spec.parent / "elsewhere"
    monkeypatch.chdir(home)
    (home / "numbers").touch()
    elsewhere.mkdir()
    write_spec(toy_spec, data={"name": "file", "path": "numbers", "batch_size": 8})
    run = Path(ganlab("train", toy_spec).stdout.splitlines()[-1])
    assert json.loads((run / "provenance.json").read_text())["working_directory"] == str(home)
    monkeypatch.chdir(elsewhere)
    assert ganlab("evaluate", f"../runs/toy/{run.name}").exit_code == 0
    assert Path.cwd() == elsewhere
    (home / "numbers").rename(home / "moved")
    with pytest.raises(DataError, match="'numbers' is not there"):
        ganlab("evaluate", run)


def test_the_version_is_that_of_everything_with_plugins(toy):
    lines = ganlab("--version").stdout.splitlines()
    assert lines[0].startswith(f"ganlab {version('ganlab')} (Python ")
    assert "ganlab-toy 1.0" in lines
    assert lines[1:] == sorted(lines[1:])


def test_help_has_a_short_form():
    for command in ((), ("train",), ("data", "check")):
        assert ganlab(*command, "-h").stdout == ganlab(*command, "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        (["SPEC"], None),
        (["SPEC", "--resume"], ""),
        (["SPEC", "--resume", "kimg=1"], ""),
        (["--resume", "SPEC"], ""),
        (["--resume", "other.yaml"], ""),
        (["SPEC", "--resume", "--change"], ""),
        (["SPEC", "--resume", "nosuch", "kimg=1"], "nosuch"),
        (["SPEC", "--resume=nosuch"], "nosuch"),
        (["SPEC", "--resume", "FOLDER"], "FOLDER"),
        (["--resume", "FOLDER", "SPEC", "kimg=1"], "FOLDER"),
    ],
)
def test_resume_stands_alone_or_before_a_run(tmp_path, arguments, run):
    (tmp_path / "spec.yaml").touch()
    places = {"SPEC": str(tmp_path / "spec.yaml"), "FOLDER": str(tmp_path)}
    command = typer.main.get_command(app).commands["train"]
    parsed = command.make_context("train", [places.get(argument, argument) for argument in arguments]).params
    assert parsed["resume"] == places.get(run, run)
    assert list(parsed["overrides"]) == (["kimg=1"] if "kimg=1" in arguments else [])


def test_resume_of_what_is_not_there_and_change_without_resume_are_refused(trained, toy_spec):
    with pytest.raises(RunError, match="there is no run to resume 'nosuch'"):
        ganlab("train", toy_spec, "--resume", "nosuch")
    assert "--resume" in ganlab("train", toy_spec, "--change").stderr
    with pytest.raises(RunError, match="seed: 0 -> 1"):
        ganlab("train", toy_spec, "seed=1", "--resume")
    assert ganlab("train", toy_spec, "seed=1", "kimg=0.08", "--resume", "--change").exit_code == 0
