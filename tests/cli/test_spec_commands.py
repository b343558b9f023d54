from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from ganlab.build import build_dataset
from ganlab.errors import PluginError, SpecError, UserError
from ganlab.spec import read_spec
from tests.cli.commands import run_command


def test_check_looks_at_every_file(toy_spec, tmp_path):
    (tmp_path / "bad.yaml").write_text(toy_spec.read_text().replace("kimg: 0.064", "kimg: long"))
    result = run_command("check", tmp_path / "bad.yaml", toy_spec, tmp_path / "missing.yaml")
    assert result.exit_code == 2
    assert result.stdout == f"{toy_spec}: ok\n"
    assert "kimg: needs a number from 0.001" in result.stderr
    assert "missing.yaml" in result.stderr
    assert run_command("check", toy_spec, "data.batch_size=4").exit_code == 0
    assert run_command("check", toy_spec, "data.batch_size=0").exit_code == 2
    with pytest.raises(UserError, match="at least one spec"):
        run_command("check", "a.b=c")


def test_check_tells_of_transparency_that_is_lost(toy_spec, monkeypatch):
    monkeypatch.setattr("ganlab.build.remark_on_transparency", lambda dataset: f"{len(dataset)} pictures lose it")
    count = len(build_dataset(read_spec(toy_spec).data))
    assert run_command("check", toy_spec).stdout == f"{toy_spec}: ok (but {count} pictures lose it)\n"


def test_show_prints_a_spec_that_loads_back(toy_spec, tmp_path):
    for options in ([], ["--plain"]):
        result = run_command("show", toy_spec, "seed=3", *options)
        (tmp_path / "again.yaml").write_text(result.stdout)
        assert read_spec(tmp_path / "again.yaml") == read_spec(toy_spec, ["seed=3"])
        assert ("# override 'seed=3'" in result.stdout) == (not options)


def test_diff_prints_what_differs(toy_spec, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text("extends: toy.yaml\narchitecture: {loss: {margin: 2}}\n")
    result = run_command("diff", toy_spec, other)
    assert result.stdout.split() == [
        "architecture.loss.margin", "1.0", "->", "2.0", f"({toy_spec}:13", "->", f"{other}:2)",
    ]  # fmt: skip
    assert run_command("diff", toy_spec, toy_spec).stdout == "no differences\n"


def test_plugins_lists_what_is_installed(toy):
    rows = [line.split() for line in run_command("plugins").stdout.splitlines()]
    assert rows[0] == ["kind", "name", "distribution", "version"]
    assert ["losses", "toy_preset", "ganlab-toy", "1.0"] in rows
    assert {row[0] for row in [line.split() for line in run_command("plugins", "losses").stdout.splitlines()][1:]} == {
        "losses"
    }
    with pytest.raises(PluginError, match="did you mean 'losses'"):
        run_command("plugins", "loses")


def test_plugins_shows_the_options_of_one(toy):
    text = run_command("plugins", "generators", "toy").stdout
    assert "toy (generators), from ganlab-toy 1.0\nganlab_toy:ToyGenerator\n" in text
    assert "Latents to examples." in text
    assert "  width: an integer; default 8\n      Units of the hidden layer.\n" in text
    assert "taken from the data" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "every" in run_command("plugins", "regularizers", "toy").stdout
    assert "No options." in run_command("plugins", "normalizers", "toy").stdout


def test_plugins_shows_what_is_wrong_with_a_broken_one(install):
    install("bad-pack", {"losses": {"bad": "bad_pack:Bad"}}, {"bad_pack": "import nothing_like_it"})
    assert "bad-pack" in run_command("plugins", "losses").stdout
    with pytest.raises(PluginError, match="nothing_like_it"):
        run_command("plugins", "losses", "bad")


def test_schema_and_reference_are_written(toy, tmp_path):
    assert run_command("schema", "--out", tmp_path / "schema.json").exit_code == 0
    losses = yaml.safe_load((tmp_path / "schema.json").read_text())["$defs"]["losses"]
    assert "toy_preset" in losses["anyOf"][0]["anyOf"][0]["enum"]
    assert run_command("schema", "--markdown").stdout.startswith("# Spec reference")


def test_schema_warns_of_broken_plugins(install):
    install("bad-pack", {"losses": {"bad": "bad_pack:Bad"}}, {"bad_pack": "import nothing_like_it"})
    result = run_command("schema")
    assert result.exit_code == 0
    assert "bad-pack 1.0" in result.stderr


def test_show_reports_problems(toy_spec):
    with pytest.raises(SpecError, match="did you mean 'ema'"):
        run_command("show", toy_spec, "emma=null")


HEAVY = ("torch", "pytorch_lightning", "numpy", "omegaconf", "rich", "wandb")


ANSWERS = [
    (["--help"], 0),
    (["plugins"], 0),
    (["plugins", "losses"], 0),
    (["check", "SPEC", "architecture.name=nope"], 2),
    (["check", "SPEC", "data=nope"], 2),
    (["check", "SPEC", "optimizers.generator=nope"], 2),
    (["check", "SPEC", "evaluation.metrics=[nope]"], 2),
    (["check", "SPEC", "emma=null"], 2),
    (["check", "SPEC", "trainer.device=2"], 2),
    (["check", "missing.yaml"], 2),
]
ANSWERED = """
import json, sys
from ganlab.cli import main
heavy, answers = json.loads(sys.argv[1])
for arguments in answers:
    sys.argv[1:], code = arguments, 0
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    print("ANSWER", json.dumps([[name for name in heavy if name in sys.modules], code]))
"""


def test_answers_that_need_no_torch_do_not_import_it(toy, toy_spec):
    given = [[str(toy_spec) if word == "SPEC" else word for word in arguments] for arguments, _ in ANSWERS]
    command = [sys.executable, "-c", ANSWERED, json.dumps([HEAVY, given])]
    path = os.pathsep.join([str(toy), *filter(None, sys.path)])
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
    told = [json.loads(line.removeprefix("ANSWER ")) for line in ended.stdout.splitlines() if line.startswith("ANSWER")]
    assert told == [[[], exit_code] for _, exit_code in ANSWERS], ended.stderr
