"""`ganlab sample` and `ganlab evaluate` on a run that a test holds in its hands."""

import json
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from ganlab import build
from ganlab.cli.app import app
from ganlab.errors import UserError
from ganlab.run import folder, generator_file
from ganlab.spec.model import DataNode, EvaluationSection, Node
from tests.evaluation.test_evaluator import Mean
from tests.tiny import TinyData, tiny_gan


@pytest.fixture
def ganlab(monkeypatch, tmp_path):
    section = EvaluationSection(metrics=(Node("metrics", "mean"),), samples=30)
    run = SimpleNamespace(
        path=tmp_path,
        evaluations=tmp_path / "evaluations.jsonl",
        where_it_started=nullcontext,
        load_module=lambda device, checkpoint=None: tiny_gan(),
        facts=TinyData().facts,
        spec=SimpleNamespace(evaluation=section, data=DataNode("datasets", "tiny"), architecture=None),
    )
    for place in (folder, generator_file):
        monkeypatch.setattr(place, "open_run", lambda reference, root=None: run)
    monkeypatch.setattr(build, "build_dataset", lambda node: TinyData())
    monkeypatch.setattr(
        build, "build_metrics", lambda nodes, facts: {n.name: Mean(n.options.get("fail", "")) for n in nodes}
    )

    def call(*arguments):
        return CliRunner().invoke(app, list(map(str, arguments)))

    call.run = run
    return call


def test_equal_seeds_write_equal_files(ganlab, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        result = ganlab("sample", "x", "--count", 70, "--seed", seed, "--out", tmp_path / name)
        assert result.exit_code == 0, result.output
    contents = {name: [path.read_bytes() for path in sorted((tmp_path / name).iterdir())] for name in ("a", "b", "c")}
    assert len(contents["a"]) == 70
    assert contents["a"] == contents["b"] != contents["c"]
    result = ganlab("sample", "x", "--count", 3, "--seed", 1, "--out", tmp_path / "d")
    assert [path.read_bytes() for path in sorted((tmp_path / "d").iterdir())] == contents["a"][:3]


@pytest.mark.parametrize("wrong", [("--label", 2), ("--label", "nothing"), ("truncation=0.5",), ("psi",)])
def test_what_cannot_be_is_refused_before_anything_is_written(ganlab, tmp_path, wrong):
    result = ganlab("sample", "x", "--count", 3, "--out", tmp_path / "new", *wrong)
    assert isinstance(result.exception, UserError)
    assert not (tmp_path / "new").exists()


def test_evaluate_prints_numbers_or_records(ganlab):
    text = ganlab("evaluate", "x")
    assert text.exit_code == 0, text.output
    assert "mean/count" in text.output
    assert "30 samples against 30 reals" in text.output
    (record,) = json.loads(ganlab("evaluate", "x", "--samples", 20, "--json").output)
    assert record["mean/count"] == 20
    assert record["protocol"]["samples"] == 20


def test_a_failed_metric_shows_in_the_exit_code(ganlab):
    ganlab.run.spec.evaluation = EvaluationSection(metrics=(Node("metrics", "mean", {"fail": "compute"}),), samples=10)
    result = ganlab("evaluate", "x")
    assert result.exit_code == 2
    assert "broken in compute" in result.output


def test_metrics_are_chosen_by_name_with_the_options_of_the_spec(ganlab):
    assert "mean/count" in ganlab("evaluate", "x", "--metrics", "mean").output
    assert isinstance(ganlab("evaluate", "x", "--metrics", "nothing-like-it").exception, UserError)
    ganlab.run.spec.evaluation = None
    assert isinstance(ganlab("evaluate", "x").exception, UserError)


def test_neighbours_are_a_picture_and_a_figure(ganlab, tmp_path):
    text = ganlab("evaluate", "x", "--neighbours", 3)
    assert text.exit_code == 0, text.output
    assert "memorisation" in text.output
    assert "mean/count" not in text.output
    assert (tmp_path / "neighbours.png").stat().st_size > 0
    record = json.loads(ganlab("evaluate", "x", "--neighbours", 3, "--json").output)
    assert 0 <= record["memorisation"] <= 1
    found, measured = json.loads(ganlab("evaluate", "x", "--neighbours", 3, "--metrics", "mean", "--json").output)
    assert found == record
    assert "mean/count" in measured
    assert ganlab("evaluate", "x", "--features", "resnet18").exit_code == 2
    assert isinstance(ganlab("evaluate", "x", "--neighbours", 3, "--features", "nothing").exception, UserError)
