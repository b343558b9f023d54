from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import DataError
from tests.data.toys import Numbered


@pytest.fixture
def check(monkeypatch, tmp_path):
    def run(dataset, *arguments):
        monkeypatch.setattr("ganlab.spec.read_spec", lambda path, overrides: SimpleNamespace(data=None))
        monkeypatch.setattr("ganlab.build.open_dataset", lambda node, cached: dataset)
        return CliRunner().invoke(app, ["data", "check", "spec.yaml", "--out", str(tmp_path), *arguments])

    return run


def test_a_table_and_a_picture(check, tmp_path):
    result = check(Numbered(20))
    assert result.exit_code == 0
    assert "3: a (7), b (7), c (6)" in result.stdout
    assert (tmp_path / "samples.png").exists()


def test_json(check):
    assert json.loads(check(Numbered(20), "--json").stdout)["classes"] == {"a": 7, "b": 7, "c": 6}


def test_problems_end_with_the_users_exit_code_after_the_report(check):
    result = check(Numbered(20, broken=[3, 4]))
    assert isinstance(result.exception, DataError)
    assert result.exception.exit_code == 2
    assert "picture3.png" in str(result.exception)
    assert "picture4.png" in str(result.exception)
    assert "unreadable" in result.stdout
