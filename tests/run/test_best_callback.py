"""The checkpoint of the best evaluation, and the end of a training that does not get better."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import torch

from ganlab.errors import RunError, UserError
from ganlab.evaluation.directions import direction_of
from ganlab.run import session
from ganlab.run.best_callback import read_best
from ganlab.run.checkpoint_files import take_chosen
from ganlab.run.folder import Run
from ganlab.spec.model import BestSection, CheckpointSection, EvaluationSection, GuardSection, Node
from ganlab.tracking.jsonl import read_records
from tests.tiny import Logistic


class Told:
    """Says at each moment what it was told to; it may fail instead."""

    needs = frozenset({"generator"})
    higher_is_better = False

    def __init__(self, values):
        self.values = values

    def measure(self, module, random):
        self.now = self.values[module.clock.images_seen]

    def compute(self):
        if self.now == "fails":
            raise ValueError("broken")
        return {"distance": self.now, "other": 1.0}

    def reset(self):
        pass


VALUES = {16: 5.0, 32: 3.0, 48: math.nan, 64: 4.0, 80: 3.0, 96: 2.0}


@pytest.fixture
def best_runs(tiny_runs, monkeypatch):
    """Trains with `best` on what a metric is told to say, at 16, 32, ... 96 images."""

    def train(values=None, *, number="told/distance", direction=None, patience=None, **options):
        monkeypatch.setattr(session, "build_metrics", lambda nodes, facts: {"told": Told(values or VALUES)})
        section = EvaluationSection(
            (Node("optimizers", "rmsprop"),), 0.016, 4, best=BestSection(number, direction, patience)
        )
        options = {"checkpoint": CheckpointSection(every_kimg=0.048, keep=1), "kimg": 0.096} | options
        return tiny_runs.train(evaluation=section, **options)

    train.runs = tiny_runs
    return train


def moment_of(run: Run, chosen: str | None = None) -> int:
    taken: list[dict[str, Any]] = []
    take_chosen(run.checkpoints, chosen, taken.append)
    return taken[-1]["clock"]["images_seen"]


def moment_of_best(run: Run) -> int:
    return moment_of(run, "best")


def kinds(run: Run) -> list[tuple[int, str]]:
    return [(event["images_seen"], event["kind"]) for event in read_records(run.path / "events.jsonl")]


def test_the_best_checkpoint_stays_while_others_go(best_runs) -> None:
    run = best_runs(VALUES | {96: 9.0}).run
    assert moment_of_best(run) == 32
    assert sorted(path.name for path in run.checkpoints.glob("kimg-*")) == ["kimg-000000.096.ckpt"]
    best = read_best(run)
    assert (best.metric, best.direction, best.value, best.images_seen) == ("told/distance", "lower", 3.0, 32)
    assert kinds(run) == [(16, "best"), (32, "best"), (96, "end")]
    assert read_records(run.path / "events.jsonl")[1]["value"] == 3.0


def test_higher_is_better_where_the_spec_says_so(best_runs) -> None:
    assert moment_of_best(best_runs(direction="higher").run) == 16


def test_training_ends_when_nothing_gets_better(best_runs, capsys) -> None:
    outcome = best_runs(patience=2)
    assert outcome.signal is None
    assert [(m, k) for m, k in kinds(outcome.run) if k != "best"] == [(64, "patience"), (64, "end")]
    assert "no lower told/distance than 3, of 0.032 kimg, in 2 evaluations: the training ends at 0.064 kimg" in (
        capsys.readouterr().out
    )
    again = best_runs(patience=2, resume=True)  # it goes on as it ended
    assert moment_of(again.run) == 64
    longer = best_runs(patience=3, resume=True)
    assert moment_of(longer.run) == 80


def test_an_interrupted_run_keeps_and_ends_as_one_that_was_not(best_runs, monkeypatch) -> None:
    """Killed between an evaluation and the next checkpoint, at several moments."""
    whole = best_runs(VALUES | {96: 9.0}, patience=4).run
    expected = torch.load(whole.checkpoints / "best.ckpt", weights_only=True)["module"]
    for step in (5, 11):
        best_runs.runs.folder = best_runs.runs.folder.with_name(f"runs{step}")
        loss = DiesAt(step)
        best_runs.runs.loss = loss
        with pytest.raises(Killed):
            best_runs(VALUES | {96: 9.0}, patience=4)
        best_runs.runs.loss = Logistic()
        run = best_runs(VALUES | {96: 9.0}, patience=4, resume=True).run
        assert read_best(run) == read_best(whole)
        found = torch.load(run.checkpoints / "best.ckpt", weights_only=True)["module"]
        assert all(torch.equal(value, found[name]) for name, value in expected.items())


class Killed(RuntimeError):
    pass


class DiesAt(Logistic):
    """Ends the process, as it were, in a step."""

    def __init__(self, step):
        self.steps, self.step = 0, step

    def discriminator(self, real_logits, fake_logits):
        self.steps += 1
        if self.steps == self.step:
            raise Killed
        return super().discriminator(real_logits, fake_logits)


class BadAt(DiesAt):
    """Has no number for a step."""

    def discriminator(self, real_logits, fake_logits):
        try:
            return super().discriminator(real_logits, fake_logits)
        except Killed:
            return real_logits.sum() * math.nan


def test_a_rollback_keeps_the_best_and_counts_what_is_left(best_runs) -> None:
    best_runs.runs.loss = BadAt(8)  # after the evaluation of 48, of which there is a checkpoint
    values = {16: 5.0, 32: 6.0, 48: 1.0, 64: 5.5, 80: 7.0, 96: 8.0}
    run = best_runs(values, guard=GuardSection("rollback"), patience=2).run
    assert moment_of_best(run) == 48
    assert kinds(run)[-3:] == [(48, "rollback"), (80, "patience"), (80, "end")]


def test_skipped_updates_are_in_the_diary(best_runs) -> None:
    best_runs.runs.loss = BadAt(5)
    run = best_runs(guard=GuardSection("skip")).run
    (skipped,) = [e for e in read_records(run.path / "events.jsonl") if e["kind"] == "skipped update"]
    assert skipped["images_seen"] == 32
    assert "the gradient of the discriminator is not finite at 32 images" in skipped["text"]


def test_a_metric_that_fails_is_no_evaluation(best_runs) -> None:
    assert moment_of_best(best_runs(VALUES | {16: "fails", 48: "fails"}, patience=2).run) == 32


def test_mistakes_are_sentences(best_runs) -> None:
    with pytest.raises(UserError, match=r"no 'told/distanse' among .* told/distance, told/other; did you mean 'told/d"):
        best_runs(number="told/distanse")
    run = Run(best_runs.runs.only_run)
    assert best_runs(resume=True).run == run
    with pytest.raises(RunError, match=r"'bets' is no checkpoint: .*or best$"):
        moment_of(run, "bets")
    metric = Told(VALUES)
    assert direction_of(BestSection("told/other"), {"told": metric}) == "lower"
    metric.higher_is_better = {"distance": True}
    assert direction_of(BestSection("told/distance"), {"told": metric}) == "higher"
    with pytest.raises(UserError, match="does not say whether lower or higher values of 'told/other'"):
        direction_of(BestSection("told/other"), {"told": metric})


def test_the_end_of_a_run_that_breaks_is_in_the_diary(best_runs) -> None:
    best_runs.runs.loss = DiesAt(4)
    with pytest.raises(Killed):
        best_runs()
    (last,) = [json.loads(line) for line in (best_runs.runs.only_run / "events.jsonl").read_text().splitlines()][-1:]
    assert (last["kind"], last["text"]) == ("end", "stopped: Killed")
