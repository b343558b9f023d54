"""What is found out about a sweep before its first trial, on the toy family."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganlab.errors import SpecError, UserError
from ganlab.sweeps.checking import check_sweep
from ganlab.sweeps.estimate import Pace, check_lines, duration, measured_pace
from ganlab.sweeps.file import SweepFile
from tests.sweeps.files import sweep_file


def sweep(folder: Path, spec: Path, body: str, metric: str = "discriminator/loss") -> SweepFile:
    head = f"""\
command: [ganlab, train, {spec}, "${{args_no_hyphens}}"]
metric: {{name: {metric}, goal: minimize}}
"""
    return sweep_file(folder, body, head)


def problem(found: SweepFile) -> str:
    with pytest.raises(SpecError) as error:
        check_sweep(found)
    return str(error.value)


def test_all_trials_of_a_grid_are_resolved_and_what_differs_is_rehearsed(tmp_path, toy_spec) -> None:
    body = (
        "method: grid\nparameters: {seed: {values: [0, 1]}, data.batch_size: {values: [4, 8]}, kimg: {value: 0.032}}\n"
    )
    check = check_sweep(sweep(tmp_path, toy_spec, body))
    assert (check.planned, check.resolved, check.rehearsed, check.left) == (4, 4, 2, 0)
    assert check.kimg == pytest.approx(4 * 0.032)
    assert check.names == {"toy"}
    assert "name: toy" in check.specs[str(toy_spec)]


def test_a_bad_value_is_told_with_its_line_and_once(tmp_path, toy_spec) -> None:
    body = """\
        method: grid
        parameters:
          seed: {values: [0, 1]}
          data.batch_size: {values: [4, 0]}
          data.bacth_size: {value: 3}
        """
    told = problem(sweep(tmp_path, toy_spec, body))
    assert "tiny.yaml:7: override 'data.bacth_size=3': data.bacth_size: unknown" in told
    told = problem(sweep(tmp_path, toy_spec, body.replace("  data.bacth_size: {value: 3}\n", "")))
    assert told.startswith(
        "tiny.yaml:6: override 'data.batch_size=0': data.batch_size:".replace("tiny", f"{tmp_path}/tiny")
    )
    assert "\n" not in told


def test_the_ends_of_a_range_are_tried(tmp_path, toy_spec) -> None:
    body = "method: random\nrun_cap: 3\nparameters: {optimizers.generator.lr: {min: -0.001, max: 0.1}}\n"
    assert "optimizers.generator.lr=-0.001" in problem(sweep(tmp_path, toy_spec, body))


def test_parts_that_do_not_fit_are_found_by_rehearsal(tmp_path, toy_spec) -> None:
    body = "method: grid\nparameters: {trainer.devices: {values: [1, 3]}}\n"
    assert "cannot be shared equally by 3 processes" in problem(sweep(tmp_path, toy_spec, body))


def test_the_metric_is_one_that_the_spec_measures(tmp_path, toy_spec) -> None:
    body = "method: grid\nparameters: {seed: {values: [0]}}\n"
    told = problem(sweep(tmp_path, toy_spec, body, "metrics/tyo/mean"))
    assert "metric.name: the spec 'toy' does not measure 'tyo'; it measures: toy; did you mean 'toy'?" in told
    assert check_sweep(sweep(tmp_path, toy_spec, body, "metrics/toy")).notes == []
    check = check_sweep(sweep(tmp_path, toy_spec, body, "discriminator/loss"))
    assert any("shows in the first trial alone" in note for note in check.notes)


def test_an_unknown_macro_and_a_missing_spec_are_sentences(tmp_path, toy_spec) -> None:
    body = "method: grid\nparameters: {seed: {values: [0]}}\n"
    with pytest.raises(UserError, match="cannot read the spec"):
        check_sweep(sweep(tmp_path, tmp_path / "none.yaml", body))
    head = f"command: [ganlab, train, {toy_spec}, '${{args}}', '${{arg}}']\nmetric: {{name: x}}\n"
    with pytest.raises(UserError, match="is no macro"):
        check_sweep(sweep_file(tmp_path, body, head))


def test_how_long_it_takes_is_told_where_it_is_known(tmp_path, toy_spec) -> None:
    grid = check_sweep(
        sweep(tmp_path, toy_spec, "method: grid\nparameters: {seed: {values: [0, 1]}, kimg: {value: 10}}\n")
    )
    assert measured_pace(grid, tmp_path / "runs") is None
    assert "how long they take is not known: no run of toy tells" in check_lines(grid, None)[1]
    run = tmp_path / "runs/toy/20260101-000000"
    run.mkdir(parents=True)
    (run / "spec.yaml").write_text("kimg: 1\n")
    (run / "log.jsonl").write_text('{"images_seen": 500, "seconds": 2.0}\n')
    pace = measured_pace(grid, tmp_path / "runs")
    assert pace == Pace(4.0, f"as measured in {run}")
    assert "20 kimg in all: about 80 seconds one after the other, at 4 s per kimg" in check_lines(grid, pace)[1]
    body = "method: random\nparameters: {optimizers.generator.lr: {min: 0.001, max: 0.1}}\n"
    assert "it has no run_cap" in check_lines(check_sweep(sweep(tmp_path, toy_spec, body)), pace)[1]
    assert [duration(each) for each in (9, 600, 7200, 10**6)] == ["9 seconds", "10 minutes", "2.0 hours", "11.6 days"]
