"""Tables over runs: seeds together, protocols apart."""

from __future__ import annotations

import csv
import io
import json
import statistics

import pytest

from ganlab.errors import RunError
from ganlab.studies.comparison import Choice, compare
from ganlab.studies.comparison_text import as_csv, as_json, as_markdown, as_text
from ganlab.studies.record import RunRecord, find_runs
from tests.studies.made import PROTOCOL, make_run, write_lines
from tests.studies.test_runs import ganlab


def records(*runs):
    return [RunRecord(run) for run in runs]


def test_seeds_of_a_spec_are_one_row_with_mean_and_deviation(tmp_path) -> None:
    runs = [make_run(tmp_path, f"2026010{s}-000000", seed=s, swd=(9.0, v)) for s, v in ((1, 4.0), (2, 5.0), (3, 9.0))]
    other = make_run(tmp_path, name="other", swd=(1.0, 2.0), data={"name": "digits", "batch_size": 32})
    table = compare(records(*runs, other))
    assert [row.label for row in table.rows] == ["tiny", "other"]
    (column,) = table.columns
    cell = table.rows[0].cells[column]
    assert cell.mean == 6.0
    assert cell.deviation == pytest.approx(statistics.stdev([4.0, 5.0, 9.0]))
    assert table.rows[1].cells[column].deviation is None
    assert table.settings["data.batch_size"] == ["64", "32"]
    text = as_text(table)
    assert text.splitlines()[1].split("  ")[:2] == ["tiny", " 1, 2, 3"]
    assert "6 ± 2.6" in text
    assert "data.batch_size: 64 (tiny), 32 (other)" in text


def test_numbers_of_different_protocols_never_share_a_column(tmp_path) -> None:
    first = make_run(tmp_path, "20260101-000000", seed=1)
    more = PROTOCOL | {"samples": 500, "extractor": {"name": "pca", "weights": "0f"}}
    second = make_run(tmp_path, "20260102-000000", seed=2, protocol=more)
    table = compare(records(first, second))
    assert [column.title for column in table.columns] == ["swd/average [1]", "swd/average [2]"]
    (row,) = table.rows
    assert [len(row.cells[column].values) for column in table.columns] == [1, 1]
    (remark,) = table.remarks
    assert remark == (
        "swd/average cannot be compared between columns, as their protocols differ: samples: 100 [1], 500 [2]; "
        "extractor.name: - [1], pca [2]; extractor.weights: - [1], 0f [2]"
    )
    assert "5 (n = 1)" in as_text(table)


def test_what_a_metric_is_called_and_how_it_is_read_is_no_protocol(tmp_path) -> None:
    """An alias, and a record from before metrics said which direction is better."""
    first = make_run(tmp_path, "20260101-000000", seed=1)
    second = make_run(tmp_path, "20260102-000000", seed=2)
    old = {key: value for key, value in PROTOCOL.items() if key != "higher_is_better"} | {"metric": "patches"}
    write_lines(second / "metrics.jsonl", [(3000, {"patches/average": 7.0, "protocol": old})])
    table = compare(records(first, second))
    ((column, cell),) = table.rows[0].cells.items()
    assert (column.name, cell.values) == ("swd/average", (5.0, 7.0))


def test_what_decides_nothing_that_is_learned_splits_no_row_and_the_data_do(tmp_path) -> None:
    runs = [
        make_run(tmp_path, "20260101-000000", seed=1, tracking={"progress": True}),
        make_run(tmp_path, "20260102-000000", seed=2, tracking={"progress": False}),
        make_run(tmp_path, "20260103-000000", seed=3, facts="other data"),
        make_run(tmp_path, "20260104-000000", seed=1, swd=(6.0, 6.0, 6.0)),
    ]
    table = compare(records(*runs))
    assert [(row.label, row.seeds) for row in table.rows] == [("tiny #1", [2, 1]), ("tiny #2", [3])]
    assert table.remarks == [
        "tiny/20260101-000000 is left out: tiny/20260104-000000 is a newer run of the same spec and seed"
    ]
    each = compare(records(*runs), Choice(each=True))
    assert [row.label for row in each.rows] == [RunRecord(run).name for run in runs]


def test_moments(tmp_path) -> None:
    run = make_run(tmp_path, "20260101-000000", seed=1)
    shorter = make_run(tmp_path, "20260102-000000", seed=2, swd=(8.0, 6.0))

    def values(at: str) -> list[tuple[float, ...]]:
        return [cell.values for cell in compare(records(run, shorter), Choice(at)).rows[0].cells.values()]

    assert values("last") == [(5.0, 6.0)]
    assert compare(records(run, shorter)).remarks[0].startswith("the numbers are not all of the same moment")
    assert values("2") == [(4.0, 6.0)]
    with pytest.raises(RunError, match="keeps no best evaluation"):
        values("best")
    for path, moment in ((run, 2000), (shorter, 1000)):
        best = {"metric": "swd/average", "direction": "lower", "value": 4.0, "images_seen": moment}
        (path / "checkpoints" / "best.json").write_text(json.dumps(best))
    assert values("best") == [(4.0, 8.0)]
    for wrong in ("first", "nan"):
        with pytest.raises(RunError, match="'last', 'best' or a number of kimg"):
            values(wrong)
    with pytest.raises(RunError, match="no numbers to compare"):
        values("7")


def test_later_measurements_count_and_replace_equal_ones(tmp_path) -> None:
    run = make_run(tmp_path)
    write_lines(run / "evaluations.jsonl", [(3000, {"swd/average": 5.5, "checkpoint": None, "protocol": PROTOCOL})])
    assert list(compare(records(run)).rows[0].cells.values())[0].values == (5.5,)
    assert len(compare(records(run), Choice(everything=True)).columns) == 2


def test_what_metrics_say_of_their_numbers_is_passed_on_once(tmp_path) -> None:
    for seed in (0, 1):
        run = make_run(tmp_path, f"2026010{seed}-000000", seed=seed)
        line = {"swd/average": 5.5, "swd/16": 2.0, "notes": ["few samples"], "protocol": PROTOCOL}
        write_lines(run / "metrics.jsonl", [(3000, line)])
    assert compare(find_runs(["tiny"], tmp_path)).remarks == ["swd: few samples"]


def test_runs_stand_side_by_side_where_the_terminal_is_narrow(tmp_path, monkeypatch) -> None:
    run = make_run(tmp_path)
    line = {f"swd/level{n}": 5.5 for n in range(9)} | {"protocol": PROTOCOL}
    write_lines(run / "metrics.jsonl", [(3000, line)])
    table = compare(records(run))
    for columns, first in (("80", "run             tiny"), ("400", "run   seeds  kimg  swd/level0 [1]")):
        monkeypatch.setenv("COLUMNS", columns)
        assert as_text(table).startswith(first)


def test_forms(tmp_path) -> None:
    for seed, last in ((0, 4.0), (1, float("nan"))):
        run = make_run(tmp_path, f"2026010{seed}-000000", seed=seed, swd=(9.0, last))
        assert "NaN" in (run / "metrics.jsonl").read_text() or seed == 0
    table = compare(find_runs(["tiny"], tmp_path))
    content = json.loads(as_json(table))
    assert content["rows"][0]["cells"][0]["values"] == [4.0, None]
    assert content["protocols"]["1"] == PROTOCOL
    header, line = csv.reader(io.StringIO(as_csv(table)))
    assert header[4:] == ["swd/average [1] mean", "swd/average [1] deviation", "swd/average [1] count"]
    assert line[:4] == ["tiny", "2", "0 1", "2"]
    lines = as_markdown(table).splitlines()
    assert lines[:2] == ["| run | seeds | kimg | swd/average [1] |", "|---|---|---|---:|"]
    assert "not finite" in lines[2]
    out = tmp_path / "table.md"
    ganlab("compare", "tiny", "--runs", tmp_path, "--format", "markdown", "--out", out)
    assert out.read_text() == as_markdown(table)
    assert ganlab("compare", "tiny", "--runs", tmp_path).stdout == as_text(table)
