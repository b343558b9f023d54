"""Results of a sweep on the terminal and as records."""

from __future__ import annotations

import csv
import io
import json
import math

import pytest

from ganlab.errors import UserError
from ganlab.sweeps.folder import SweepFolder
from ganlab.sweeps.importance import LEAST_TRIALS, importance_of
from ganlab.sweeps.opening import begin_study
from ganlab.sweeps.results import read_sweep
from ganlab.sweeps.results_page import page_data
from ganlab.sweeps.results_text import as_csv, leaderboard, records
from tests.studies.test_runs import ganlab
from tests.sweeps.files import HEAD, sweep_file
from tests.sweeps.made import make_sweep


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_sweep(tmp_path_factory.mktemp("runs"), pictures=False)


@pytest.fixture(scope="module")
def results(folder):
    return read_sweep(folder)


@pytest.mark.parametrize("width", [80, 120])
def test_the_leaderboard_fits_the_terminal(results, width):
    lines = leaderboard(results, width).splitlines()
    assert max(map(len, lines)) <= width
    ranks = [line.split()[0] for line in lines if line[:4].strip().isdigit()]
    assert ranks == [str(rank) for rank in range(1, 13)], "best first, none is missing"
    assert sum("±" in line for line in lines) == 11, "one configuration has a single seed with a value"
    assert lines[-1] == "trial 23 failed: exit code 1: the gradient is not finite"
    assert any("stopped" in line for line in lines)


def test_the_best_stands_first_and_is_the_best(results):
    found = records(results)
    means = [each["mean"] for each in found["configurations"]]
    assert means == sorted(means)
    bests = [trial["best"] for each in found["configurations"] for trial in each["trials"] if trial["best"] is not None]
    first = found["configurations"][0]
    assert first["mean"] == pytest.approx(sum(trial["best"] for trial in first["trials"]) / 2)
    assert first["deviation"] == pytest.approx(
        abs(first["trials"][0]["best"] - first["trials"][1]["best"]) / math.sqrt(2)
    )
    assert len(bests) == 23
    json.dumps(found, allow_nan=False)


def test_csv_has_a_line_for_each_trial(results):
    lines = list(csv.DictReader(io.StringIO(as_csv(results))))
    assert len(lines) == 24
    assert sorted(int(line["trial"]) for line in lines) == list(range(24))
    best = min((line for line in lines if line["best"]), key=lambda line: float(line["best"]))
    assert best["rank"] == "1"
    assert {line["state"] for line in lines} == {"finished", "stopped early", "failed"}
    assert float(best["optimizers.generator.lr"]) == results.best.parameters["optimizers.generator.lr"]


def test_importance_finds_what_matters_and_says_when_it_cannot(results, tmp_path):
    shares = dict(importance_of(results).shares)
    assert list(shares)[0] == "architecture.loss"
    assert shares["architecture.loss"] + shares["optimizers.generator.lr"] > 0.8, "the target depends on these"
    assert sum(shares.values()) == pytest.approx(1.0)
    few = importance_of(read_sweep(make_sweep(tmp_path, LEAST_TRIALS, pictures=False)))
    assert few.shares == ()
    assert "too few to tell" in few.remark


def test_the_command_prints_each_form(folder, tmp_path):
    assert "losses: 24 of 24 trials" in ganlab("sweep", "show", str(folder)).stdout
    assert json.loads(ganlab("sweep", "show", str(folder), "--json").stdout)["metric"] == "metrics/score"
    assert ganlab("sweep", "show", str(folder), "--csv").stdout.startswith("rank,trial,")
    page = tmp_path / "page.html"
    assert ganlab("sweep", "show", str(folder), "--html", str(page)).stdout.strip() == str(page)
    assert page.stat().st_size > 10_000


def test_two_forms_at_once_and_a_folder_that_is_none_are_sentences(folder, tmp_path):
    both = ganlab("sweep", "show", str(folder), "--json", "--csv")
    assert both.exit_code == 2
    with pytest.raises(UserError, match="is no sweep's folder"):
        ganlab("sweep", "show", str(tmp_path))


def test_a_sweep_over_specs_tells_them_apart(tmp_path):
    body = "method: grid\nparameters: {spec: {values: [a.yaml, b.yaml]}, seed: {values: [0, 1, 2, 3]}}\n"
    sweep = sweep_file(tmp_path, body, HEAD.replace("spec.yaml, ", ""))
    record = {"name": "tiny", "storage": None, "working_directory": ".", "search_seed": 0, "specs": {}}
    study = begin_study(SweepFolder(tmp_path / "tiny"), sweep, record, None, 100.0)
    for _ in range(8):
        claim = study.claim()
        value = 1.0 if claim.parameters["spec"] == "b.yaml" else 2.0
        study.report(claim, [(1000, value)])
        study.finish(claim, "finished", value, None, 1.0)
    results = read_sweep(tmp_path / "tiny")
    first = next(line for line in leaderboard(results, 80).splitlines() if line.strip().startswith("1 "))
    assert "b.yaml" in first
    assert importance_of(results).shares[0] == ("spec", pytest.approx(1.0, abs=0.1))
    assert page_data(results)["winner"]["command"] == "ganlab train b.yaml"
    assert as_csv(results).splitlines()[0].startswith("rank,trial,spec,seed,")
