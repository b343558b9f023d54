"""The programs of `benchmarks/`: all can be loaded, and what they share works."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def _as_scripts(monkeypatch) -> None:
    """They are no package: each finds the others beside itself."""
    monkeypatch.syspath_prepend(BENCHMARKS)


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCHMARKS.glob("*.py")))
def test_all_names_that_a_program_imports_are_there(name: str) -> None:
    importlib.import_module(name)


def test_no_program_has_the_name_of_a_folder_that_working_here_makes() -> None:
    """The linter would take imports of it for those of the folder, and sort them otherwise once it is there."""
    ignored = {line.strip("/") for line in (BENCHMARKS.parent / ".gitignore").read_text().split()}
    assert "runs" in ignored
    assert not ignored & {path.stem for path in BENCHMARKS.glob("*.py")}


def test_works_are_timed_in_turns_after_a_round_that_does_not_count() -> None:
    turns = importlib.import_module("turns")
    now, done = 0.0, []

    def work(name: str, seconds: float) -> None:
        nonlocal now
        done.append(name)
        now += seconds if len(done) > 2 else 100 * seconds

    works = {"slow": lambda: work("slow", 3.0), "fast": lambda: work("fast", 0.5)}
    assert turns.in_turns(works, 2, lambda: now) == {"slow": [3.0, 3.0], "fast": [0.5, 0.5]}
    assert done == ["slow", "fast"] * 3
    assert turns.compare(*works.values(), 3, lambda: now) == [3000.0, 500.0, 6.0]
    assert turns.median_ratio([1.0, 8.0, 6.0], [1.0, 2.0, 3.0]) == 2.0


def test_results_are_kept_and_made_once(tmp_path, capsys) -> None:
    results = importlib.import_module("results")
    arguments = argparse.Namespace(rows=["a", "b"], seeds=[0, 1], results=tmp_path, report=False)
    assert results.missing_rows(arguments) == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    kept = [{"row": "b", "seed": 0, "swd": 1.5}, {"row": "a", "seed": 1, "swd": 2.0}]
    for result in kept:
        results.keep_result(result, tmp_path)
    assert results.read_results(tmp_path) == kept
    assert results.missing_rows(arguments) == [("a", 0), ("b", 1)]
    arguments.report = True
    assert results.missing_rows(arguments) == []


def test_rows_are_all_where_none_is_named_and_an_unknown_one_is_refused(monkeypatch, capsys) -> None:
    results = importlib.import_module("results")
    monkeypatch.setattr("sys.argv", ["ablation.py", "--seeds", "4"])
    arguments = results.parse_rows(argparse.ArgumentParser(), {"a": 1, "b": 2}, Path("there"))
    assert (arguments.rows, arguments.seeds, arguments.results) == (["a", "b"], [4], Path("there"))
    monkeypatch.setattr("sys.argv", ["ablation.py", "c", "b"])
    with pytest.raises(SystemExit):
        results.parse_rows(argparse.ArgumentParser(), {"a": 1, "b": 2}, Path("there"))
    assert "no such row: c; there are a, b" in capsys.readouterr().err


def test_seeds_are_read_as_numbers() -> None:
    parser = importlib.import_module("seeds").parser_of_seeds("several")
    assert parser.parse_args(["--runs", "there"]).seeds == [0, 1, 2]
    assert parser.parse_args(["--runs", "there", "--seeds", "3,7"]).seeds == [3, 7]


def test_systems_are_told_with_their_seeds_or_the_only_one(monkeypatch, capsys) -> None:
    seeds = importlib.import_module("seeds")

    def measure(system: str, seed: int, runs: Path) -> tuple[dict[str, float], float]:
        return {"error": len(system) + seed / 10}, 60.0

    arguments = ["program.py", "--runs", "there", "--seeds", "0,4"]
    monkeypatch.setattr("sys.argv", arguments)
    seeds.tell_systems("Several.", ["one", "three"], measure, lambda system, numbers: numbers["error"] < 5.2)
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "one, seed 0 (60 s): error 3.0000: within the bounds"
    assert said[4] == "three, seed 4 (60 s): error 5.4000: outside the bounds"
    assert said[5] == "  three: error 5.2000 +- 0.2828"
    monkeypatch.setattr("sys.argv", [*arguments, "--only", "three"])
    seeds.tell_systems("Several.", ["one", "three"], measure, lambda system, numbers: True)
    assert "one" not in capsys.readouterr().out


def test_the_last_numbers_of_a_run_are_those_of_its_last_lines(tmp_path) -> None:
    trainings = importlib.import_module("trainings")
    (tmp_path / "metrics.jsonl").write_text('{"kimg": 1, "swd": 9.0, "fd": 3.0}\n{"kimg": 2, "swd": 4.0}\n')
    assert trainings.last_numbers(tmp_path) == {"kimg": 2, "swd": 4.0, "fd": 3.0}
