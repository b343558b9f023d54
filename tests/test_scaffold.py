from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
from typer.testing import CliRunner

from ganlab.build import rehearse
from ganlab.cli.app import app
from ganlab.errors import UserError
from ganlab.plugin_contracts import load
from ganlab.plugins import KINDS, find
from ganlab.scaffold import write_distribution, write_spec
from ganlab.spec import read_spec
from ganlab.spec.constructor import constructor_of
from ganlab.starter import starter_spec


def entry_points(folder):
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]


def install_from(folder, install):
    """Make a written distribution usable without building it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    groups = {group.removeprefix("ganlab."): entries for group, entries in project["entry-points"].items()}
    install(project["name"], groups, {})


@pytest.mark.parametrize("kind", KINDS)
def test_a_plugin_of_every_kind_loads_and_has_documented_options(kind, install, tmp_path, monkeypatch):
    name = f"fresh_{kind}"
    folder = tmp_path / "new"
    written = write_distribution(name, kind, folder)
    assert {path.relative_to(folder).as_posix() for path in written} == {
        "pyproject.toml",
        "README.md",
        f"ganlab_{name}/__init__.py",
        f"ganlab_{name}/{name}.py",
        f"tests/test_{name}.py",
    }
    install_from(folder, install)
    monkeypatch.syspath_prepend(folder)
    plugin = find(kind, name)
    load(plugin)
    assert all(option.text for option in constructor_of(plugin).options.values())


def test_what_is_written_is_formatted(tmp_path):
    for kind in KINDS:
        write_distribution(f"fresh_{kind}", kind, tmp_path / kind)
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check", "--isolated", "--line-length=120"], ["format", "--check", "--line-length=120"]):
        ended = subprocess.run([*ruff, *command, str(tmp_path)], capture_output=True, text=True)
        assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("kind", ["losses", "datasets", "extractors", "recipes"])
def test_a_new_plugin_passes_its_own_test(kind, install, tmp_path, monkeypatch):
    from ganlab.testing import check_plugin

    name = f"tested_{kind}"
    write_distribution(name, kind, tmp_path / "new")
    install_from(tmp_path / "new", install)
    monkeypatch.syspath_prepend(tmp_path / "new")
    assert f'check_plugin("{kind}", "{name}")' in (tmp_path / f"new/tests/test_{name}.py").read_text()
    check_plugin(kind, name)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("extractors", "recipes", "formats")])
def test_the_spec_of_a_new_plugin_can_be_trained_once_it_is_installed(kind, install, toy, tmp_path, monkeypatch):
    name = f"started_{kind}"
    write_distribution(name, kind, tmp_path / "new")
    spec = write_spec(name, tmp_path / "new", starter_spec(kind, name))
    install_from(tmp_path / "new", install)
    monkeypatch.syspath_prepend(tmp_path / "new")
    read = read_spec(spec)
    assert rehearse(read) is None
    assert f"name: {name}" in spec.read_text()


def test_a_kind_that_no_spec_holds_gets_none(toy):
    assert starter_spec("extractors", "new") is None
    assert starter_spec("recipes", "new") is None


def test_nothing_is_overwritten(tmp_path):
    write_distribution("fresh", "losses", tmp_path / "new")
    with pytest.raises(UserError, match="exists already"):
        write_distribution("fresh", "losses", tmp_path / "new")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="exists already"):
        write_distribution("fresh", "losses", tmp_path / "file")


@pytest.mark.parametrize("name", ["", "Fresh", "fresh-loss", "1st", "../x", "class", "a b"])
def test_a_name_that_no_module_can_have_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="cannot be the name"):
        write_distribution(name, "losses", tmp_path / "new")


def test_a_name_that_is_taken_is_refused_for_its_kind_alone(toy, tmp_path):
    with pytest.raises(UserError, match="the losses of ganlab-toy have a 'toy' already"):
        write_distribution("toy", "losses", tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert write_distribution("toy", "recipes", tmp_path / "new")


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(UserError, match="did you mean 'losses'"):
        write_distribution("fresh", "loses", tmp_path / "new")


def test_the_command_says_what_to_do_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["plugin", "new", "my_loss"])
    assert result.exit_code == 0
    assert "pip install -e 'ganlab-my-loss[test]'" in result.stdout
    assert "ganlab train ganlab-my-loss/my_loss.yaml" in result.stdout
    project = tomllib.loads((tmp_path / "ganlab-my-loss/pyproject.toml").read_text())["project"]
    assert any(need.startswith("pytest") for need in project["optional-dependencies"]["test"])
    assert entry_points(tmp_path / "ganlab-my-loss") == {"ganlab.losses": {"my_loss": "ganlab_my_loss.my_loss:MyLoss"}}
