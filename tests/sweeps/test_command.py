from __future__ import annotations

import json
import sys

import pytest

from ganlab.errors import UserError
from ganlab.spec.overrides import read_override
from ganlab.sweeps.command import check_command, override, trial_command

VALUES = {"lr": 1e-05, "loss": "hinge", "flip": True, "ema": None, "betas": [0.0, 0.99], "off": False}


def test_macros_are_filled_in_and_the_folder_of_runs_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SPEC", "spec.yaml")
    command = ["${env}", "${interpreter}", "${program}", "${envvar:SPEC}", "${args_no_hyphens}"]
    assert trial_command(command, "train.py", VALUES, tmp_path) == [
        "/usr/bin/env",
        sys.executable,
        "train.py",
        "spec.yaml",
        "lr=1.0e-05",
        "loss=hinge",
        "flip=true",
        "ema=null",
        "betas=[0.0, 0.99]",
        "off=false",
        "--runs",
        str(tmp_path),
    ]


def test_flags_and_json_are_as_wandb_has_them(tmp_path) -> None:
    words = trial_command(["x", "${args}"], None, {"a": 1, "b": "c"}, tmp_path)
    assert words[1:3] == ["--a=1", "--b=c"]
    words = trial_command(["x", "${args_no_boolean_flags}"], None, {"a": 1, "b": True, "c": False}, tmp_path)
    assert words[1:3] == ["--a=1", "--b"]
    words = trial_command(["x", "--json=${args_json}"], None, {"a": 1}, tmp_path)
    assert words[1] == '--json={"a": 1}'
    assert json.loads(trial_command(["x", "${args_json}"], None, VALUES, tmp_path)[1]) == VALUES


def test_overrides_are_read_back_as_the_values_that_they_were() -> None:
    for value in [*VALUES.values(), "1e-4", "a b: c", "${x}", {"name": "r1", "weight": 0.5}]:
        read = read_override(override("key", value)).plain()["key"]
        assert (type(read), read) == (type(value), value if value != "${x}" else "\\${x}")


def test_a_run_that_is_there_is_resumed(tmp_path) -> None:
    (tmp_path / "quickstart").mkdir()
    assert trial_command(["x", "${args}"], None, {}, tmp_path)[-1] == "--resume"


def test_an_unknown_macro_is_a_sentence() -> None:
    with pytest.raises(UserError, match=r"'\$\{arg\}' is no macro; there are: \$\{env\}"):
        check_command(["ganlab", "train", "${arg}"])
