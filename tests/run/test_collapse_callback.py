"""What a run does about a collapse: it says so, stops, or goes back to where there was no sign of one."""

from __future__ import annotations

import logging

import pytest
import torch

from ganlab.errors import TrainingStopped
from ganlab.run import session
from ganlab.spec.model import CheckpointSection, GuardSection, TrackingSection
from ganlab.tracking.jsonl import read_records
from ganlab.training import collapse
from ganlab.training.checkpoint import load_checkpoint
from ganlab.training.collapse import CollapseWatch
from ganlab.training.guard import Guard
from tests.acceptance.commands import differences
from tests.run.conftest import lines_without_time
from tests.tiny import TinyData, tiny_gan, tiny_settings


class Lost:
    """A loss that is 0 in some updates of the discriminator, as where it has won, and gives no direction."""

    needs_real_logits = False

    def __init__(self, start: int, end: int = 10**9) -> None:
        self.start, self.end, self.calls = start, end, 0

    def discriminator(self, real_logits, fake_logits):
        self.calls += 1
        scale = 0.0 if self.start < self.calls <= self.end and real_logits.any() else 1.0
        return scale * (torch.relu(1 - real_logits).mean() + torch.relu(1 + fake_logits).mean())

    def generator(self, real_logits, fake_logits):
        return -fake_logits.mean()


@pytest.fixture
def losing_runs(tiny_runs, monkeypatch):
    """Steps of 8 images, a line and a checkpoint each 16; nothing has to last for many rounds."""
    monkeypatch.setattr(collapse, "_ROUNDS", 2)

    def module(spec, facts):
        section = spec.guard
        watch = CollapseWatch(section)
        guard = Guard(section.non_finite, section.limit, rate_factor=section.learning_rate_factor, watch=watch)
        made = tiny_gan(tiny_settings(guard=guard))
        made.loss = tiny_runs.loss
        return made

    monkeypatch.setattr(session, "build_module", module)
    tiny_runs.loss = Lost(start=6)

    def train(policy, *, kimg=0.16, keep=2, resume=False, **options):
        return tiny_runs.train(
            kimg=kimg,
            guard=GuardSection(collapse=policy, **options),
            checkpoint=CheckpointSection(every_kimg=0.016, keep=keep),
            tracking=TrackingSection(every_kimg=0.016, progress=False),
            evaluation=None,
            snapshots=None,
            resume=resume,
        )

    tiny_runs.train_losing = train
    return tiny_runs


def events(run) -> list[dict]:
    return [record for record in read_records(run / "events.jsonl") if record["kind"].startswith("warning: ")]


def test_by_default_a_run_says_so_once_and_goes_on(losing_runs, caplog) -> None:
    outcome = losing_runs.train_losing("warn")
    (event,) = events(outcome.run.path)
    assert event["kind"] == "warning: discriminator has won"
    assert event["images_seen"] == 96
    assert event["text"].startswith("the discriminator has won: its loss is 0, where one that knows nothing has 2; ")
    said = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert said == [f"ganlab: warning: {event['text']}"]
    assert load_checkpoint(outcome.run.last_checkpoint)["clock"]["images_seen"] == 160


def test_every_line_has_the_measures(losing_runs, monkeypatch) -> None:
    class Divided(TinyData):
        held_out = TinyData(30)
        held_out.facts = type(held_out.facts)((1, 4, 4), 30, "held out", class_names=("a", "b"))

    monkeypatch.setattr(session, "open_dataset", lambda node: Divided())
    path = losing_runs.train_losing("warn", kimg=0.032).run.path
    lines = [record for record in read_records(path / "log.jsonl") if "discriminator/loss" in record]
    names = ("weights/generator", "weights/discriminator", "gradients/generator", "gradients/discriminator")
    for line in lines:
        assert all(line[name] > 0 for name in names)
        assert {"logits/trained", "logits/held_out"} <= set(line)
    assert len(lines) == 2


def test_it_can_stop(losing_runs) -> None:
    with pytest.raises(TrainingStopped, match=r"has won: .* at 96 images; stopped \(guard.collapse: stop\)") as stopped:
        losing_runs.train_losing("stop")
    assert stopped.value.exit_code == 3
    assert "the last sign of health was at 48 images" in str(stopped.value)
    (event,) = events(losing_runs.only_run)
    assert event["images_seen"] == 96
    last = load_checkpoint(losing_runs.only_run / "checkpoints" / "last.ckpt")
    assert last["clock"]["images_seen"] == 80


def test_it_can_go_back_to_before_the_first_sign_and_slow_down(losing_runs, capsys) -> None:
    """The checkpoint of 48 images is kept beside the newest two, those after it are dropped."""
    losing_runs.loss = Lost(start=6, end=12)
    outcome = losing_runs.train_losing("rollback", learning_rate_factor=0.5)
    assert "rolled back to 48 images (1 of 5)" in capsys.readouterr().out
    (event,) = events(outcome.run.path)
    assert (event["images_seen"], event["kind"]) == (96, "warning: discriminator has won")
    state = load_checkpoint(outcome.run.last_checkpoint)
    assert state["clock"]["images_seen"] == 160
    assert state["clock"]["position"] == 160 + 96 - 48
    assert state["guard"]["rollbacks"] == 1
    moments = [record["images_seen"] for record in read_records(outcome.run.path / "log.jsonl") if "seconds" in record]
    assert moments == [16 * n for n in range(1, 11)]
    names = sorted(path.name for path in (outcome.run.path / "checkpoints").iterdir())
    assert names == ["kimg-000000.144.ckpt", "kimg-000000.160.ckpt", "last.ckpt"]


def test_it_stops_when_going_back_does_not_help(losing_runs) -> None:
    with pytest.raises(TrainingStopped, match=r"stopped after 1 rollbacks \(guard.collapse: rollback\)"):
        losing_runs.train_losing("rollback", limit=1)


def test_a_checkpoint_from_before_the_first_sign_stays(losing_runs) -> None:
    with pytest.raises(TrainingStopped):
        losing_runs.train_losing("rollback", keep=1, limit=1)
    names = sorted(path.name for path in (losing_runs.only_run / "checkpoints").glob("kimg*"))
    assert names == ["kimg-000000.048.ckpt", "kimg-000000.080.ckpt"]


def test_slower_steps_are_made_with_lower_rates_which_stay_in_the_spec() -> None:
    guard = Guard(rate_factor=0.5)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.8)
    for rollbacks, expected in ((0, 0.8), (1, 0.4), (3, 0.1)):
        guard.rollbacks = rollbacks
        with guard.slowing(optimizer):
            assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)
        assert optimizer.param_groups[0]["lr"] == 0.8


def test_a_run_that_was_interrupted_finds_what_a_whole_one_finds(losing_runs) -> None:
    losing_runs.loss = Lost(start=0)
    place, losing_runs.folder = losing_runs.folder, losing_runs.folder.with_name("whole")
    whole = losing_runs.train_losing("warn", kimg=0.128).run.path
    losing_runs.folder, losing_runs.loss = place, Lost(start=0)
    losing_runs.train_losing("warn", kimg=0.032)
    run = losing_runs.train_losing("warn", kimg=0.128, resume=True).run.path
    states = [load_checkpoint(path / "checkpoints" / "last.ckpt") for path in (whole, run)]
    assert differences(*states) == []
    assert lines_without_time(run / "log.jsonl") == lines_without_time(whole / "log.jsonl")
    assert len(events(run)) == 1


def test_it_can_be_told_not_to_look(losing_runs) -> None:
    path = losing_runs.train_losing("ignore").run.path
    assert events(path) == []
    assert "weights/" not in (path / "log.jsonl").read_text()
