"""What a run says at its start, at each evaluation, and when it is over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganlab.cli.train import _report
from ganlab.facts import DataFacts
from ganlab.run.folder import Run
from ganlab.run.report import end_lines, evaluation_line, start_lines
from ganlab.run.session import Outcome
from ganlab.spec.difference import Change
from tests.tiny import tiny_gan


@pytest.fixture(params=[80, 120])
def width(request, monkeypatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return request.param


def test_the_start_says_what_is_trained_on_what(tiny_runs, width) -> None:
    module = tiny_gan()
    module.clock.images_seen = 40_000
    facts = DataFacts((3, 64, 64), 3812, "x", class_names=tuple(f"class{n}" for n in range(30)))
    spec = tiny_runs.spec(kimg=120.0)
    run = Run(Path("/runs/tiny/20260101-000000"))
    lines = start_lines(run, spec, facts, module, 2, [Change("seed", "0", "1")])
    text = " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= width
    assert "run /runs/tiny/20260101-000000 data sgd: 3,812 examples of 3 x 64 x 64, 30 classes (class0, class1," in text
    assert (
        "class5, ...) discriminator TinyDiscriminator, 145 parameters generator TinyGenerator, 176 parameters" in text
    )
    assert "device 2 x cpu with" in text
    assert "precision 32-true training 120 kimg in batches of 8, seed 0, resuming at 40 kimg" in text
    assert text.endswith("changed seed: 0 -> 1")


def test_an_evaluation_is_a_line_that_looks_back(width) -> None:
    values = {"swd/average": 12.0, "swd/parts/16": 3.0, "accuracy": 0.5}
    line = evaluation_line(40_000, values, {"swd/average": 30.25})
    assert line == "40 kimg: swd/average 30.25 -> 12, accuracy 0.5"
    assert evaluation_line(1000, {"zero": -0.0}, {}) == "1 kimg: zero 0"
    assert evaluation_line(500, {}, {}) == "0.5 kimg: no metric could be measured"
    many = evaluation_line(500, {f"metric{n}": 1.0 for n in range(20)}, {})
    assert max(map(len, many.splitlines())) <= width


def test_the_end_says_how_metrics_went_and_what_comes_next(tmp_path, monkeypatch, width) -> None:
    monkeypatch.chdir(tmp_path)
    run = Run(tmp_path / "runs" / "x" / "1")
    run.samples.mkdir(parents=True)
    measured = {40: 30.25, 80: 11.0, 120: 12.5}
    records = [
        {"images_seen": k * 1000, "kimg": float(k), "swd/average": v, "protocol": {}} for k, v in measured.items()
    ]
    (run.path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    lines = end_lines(run)
    assert lines == [
        "metric       first  lowest (kimg)  highest (kimg)  last",
        "swd/average  30.25  11 (80)        30.25 (40)      12.5",
        "next           ganlab sample runs/x/1 --count 64 --grid",
        "next           ganlab evaluate runs/x/1",
        "next           ganlab report runs/x/1",
    ]


def test_the_last_grid_is_named_by_its_moment_and_the_last_line_is_the_run(tmp_path, capsys, monkeypatch) -> None:
    """By name alone, `kimg-000000.png` comes after `kimg-000000.600.png`."""
    monkeypatch.chdir(tmp_path)
    run = Run(tmp_path)
    run.samples.mkdir()
    for name in ("reals", "latest", "kimg-000000", "kimg-000000.600"):
        (run.samples / f"{name}.png").touch()
    spread = {"diversity/overall": 0.9, "diversity/within": 0.7, "diversity/within_reals": 0.8}
    _report(Outcome(run, {"swd/average": 2.0}, None, spread))
    _report(Outcome(run, {}, None, {"diversity/overall": 0.9}))
    samples = "samples        samples/kimg-000000.600.png"
    spread_of_classes = "diversity      within classes 0.70 (reals 0.80), overall 0.90 (reals 1)"
    commands = ("next           ganlab sample . --count 64 --grid", "next           ganlab report .")
    assert capsys.readouterr().out.splitlines() == [
        *(samples, spread_of_classes, *commands, str(tmp_path)),
        *(samples, "diversity      overall 0.90 (reals 1)", *commands, str(tmp_path)),
    ]


def test_a_run_says_all_of_it(tiny_runs, capsys) -> None:
    tiny_runs.train()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("run ")
    assert [line.split(":")[0] for line in lines if " kimg: " in line] == ["0.016 kimg", "0.032 kimg", "0.048 kimg"]
    tiny_runs.train(kimg=0.064, resume=True)
    text = capsys.readouterr().out
    assert "resuming at 0.048 kimg" in text
    assert "changed        kimg: 0.048 -> 0.064" in text
