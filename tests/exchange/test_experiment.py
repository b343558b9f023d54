"""`ganlab.train`, `ganlab.check` and `ganlab.read_metrics`: an experiment from Python."""

import subprocess
import sys

import pytest

import ganlab
from ganlab.errors import RunError, SpecError, UserError
from ganlab.spec import read_spec


def test_a_spec_is_checked_trained_measured_and_sampled(toy_spec, tmp_path):
    assert ganlab.check(toy_spec, {"data.batch_size": 4}) is None
    outcome = ganlab.train(toy_spec, {"kimg": 0.032, "data.batch_size": 4}, runs=tmp_path / "runs")
    assert outcome.signal is None
    assert outcome.run.spec.data.batch_size == 4
    rows = ganlab.read_metrics(outcome.run.path)
    assert rows == ganlab.read_metrics("toy", runs=tmp_path / "runs")
    assert {row["kimg"] for row in rows} == {0.032}
    assert {row["metric"]: row["value"] for row in rows} == pytest.approx(outcome.metrics)
    assert ganlab.load(outcome.run.path).sample(2).shape == (2, 1, 4, 4)


def test_a_run_goes_on_by_its_name_and_by_its_folder(toy_spec, tmp_path):
    runs = tmp_path / "runs"
    first = ganlab.train(toy_spec, ["kimg=0.032"], runs=runs)
    again = ganlab.train(toy_spec, runs=runs, resume=True)
    assert again.run.path.resolve() == first.run.path.resolve()
    longer = ganlab.train(toy_spec, {"kimg": 0.096}, runs=runs, resume=first.run.path)
    assert {row["kimg"] for row in ganlab.read_metrics(longer.run.path)} == {0.032, 0.064, 0.096}


def test_mistakes_are_told(toy_spec, tmp_path):
    with pytest.raises(SpecError, match="batch_size"):
        ganlab.check(toy_spec, {"data.batch_sise": 4})
    with pytest.raises(UserError, match="not one text"):
        ganlab.check(toy_spec, "kimg=1")
    with pytest.raises(UserError, match="plain values"):
        ganlab.check(toy_spec, {"kimg": object()})
    with pytest.raises(UserError, match="takes no overrides"):
        ganlab.check(read_spec(toy_spec), ["kimg=1"])
    with pytest.raises(RunError, match="is no run"):
        ganlab.read_metrics("none", runs=tmp_path)


def test_the_import_alone_stays_light():
    heavy = "{'torch', 'pytorch_lightning', 'numpy', 'yaml', 'pydantic'}"
    code = f"import ganlab, sys; assert ganlab.__all__; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
