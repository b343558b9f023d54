"""What a run writes when it is resumed, or goes back, is what an uninterrupted one writes."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file

from ganlab.errors import RunError
from ganlab.run import session
from ganlab.run.folder import find_resumable, open_run
from ganlab.run.run_callback import Resume
from ganlab.spec.model import CheckpointSection, DiversitySection, GuardSection
from ganlab.training.checkpoint import load_checkpoint
from tests.acceptance.commands import differences
from tests.run.conftest import lines_without_time
from tests.training.test_module import Exploding


@pytest.fixture(autouse=True)
def _watch_diversity(tiny_runs) -> None:
    tiny_runs.diversity = DiversitySection(every_kimg=0.016)


class Killed(BaseException):
    """As far as a test can be killed in its own process."""


def kill_at(monkeypatch, runs, images_seen: int, place: str) -> None:
    """Kill the next run when it comes to a place for the first time at or after a moment."""
    owner, name = place.rsplit(".", 1)
    module_path, class_name = owner.rsplit(".", 1)
    kind = getattr(__import__(module_path, fromlist=[class_name]), class_name)
    original = getattr(kind, name)

    def watched(self, *arguments):
        module = next(a for a in arguments if hasattr(a, "clock"))
        if module.clock.images_seen >= images_seen:
            raise Killed
        return original(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(kind, name, watched)
        with pytest.raises(Killed):
            runs.train()


PLACES = {
    "before the line": "ganlab.run.tracking_callback.TrackingCallback.on_train_batch_end",
    "before the diversity": "ganlab.run.diversity_callback.DiversityCallback.on_train_batch_end",
    "before the checkpoint": "ganlab.run.checkpoint_callback.CheckpointCallback.on_train_batch_end",
    "before the picture": "ganlab.run.snapshot_callback.SnapshotCallback.on_train_batch_end",
    "before the evaluation": "ganlab.run.evaluation_callback.EvaluationCallback.on_train_batch_end",
    "after everything": "ganlab.run.end_callback.EndCallback.on_train_batch_end",
    "at the end, before the line": "ganlab.run.tracking_callback.TrackingCallback.on_train_end",
    "at the end, before the evaluation": "ganlab.run.evaluation_callback.EvaluationCallback.on_train_end",
}


@pytest.fixture
def whole(tiny_runs):
    """An uninterrupted run and where it is."""
    return tiny_runs.whole()


@pytest.mark.parametrize(
    ("place", "moment"), [(p, m) for p in PLACES for m in (16, 24, 32, 48) if m == 48 or "end" not in p]
)
def test_a_killed_run_writes_what_an_uninterrupted_one_writes(tiny_runs, whole, monkeypatch, place, moment) -> None:
    kill_at(monkeypatch, tiny_runs, moment, PLACES[place])
    run = tiny_runs.train(resume=True).run
    assert differences(load_checkpoint(whole.last_checkpoint), load_checkpoint(run.last_checkpoint)) == []
    for name in ("log.jsonl", "metrics.jsonl"):
        assert lines_without_time(run.path / name) == lines_without_time(whole.path / name)
    for folder in ("samples", "checkpoints"):
        names = sorted(path.name for path in (whole.path / folder).iterdir())
        assert sorted(path.name for path in (run.path / folder).iterdir()) == names
    for path in whole.samples.iterdir():
        assert (run.samples / path.name).read_bytes() == path.read_bytes()


def test_resuming_a_run_that_has_ended_changes_nothing(tiny_runs) -> None:
    first = tiny_runs.train()
    before = {path.name: path.read_bytes() for path in first.run.path.glob("*.jsonl")}
    again = tiny_runs.train(resume=True)
    after = {path.name: path.read_bytes() for path in first.run.path.glob("*.jsonl")}
    diary = after.pop("events.jsonl").removeprefix(before.pop("events.jsonl"))
    assert after == before
    assert [json.loads(line)["kind"] for line in diary.splitlines()] == ["resume", "end"]
    assert again.metrics == first.metrics != {}
    assert again.diversity == first.diversity != {}


def test_a_run_killed_before_its_first_checkpoint_starts_anew_in_its_folder(tiny_runs, whole, monkeypatch, caplog):
    kill_at(monkeypatch, tiny_runs, 0, "ganlab.run.checkpoint_callback.CheckpointCallback.on_train_start")
    run = tiny_runs.only_run
    assert not list((run / "checkpoints").iterdir())
    tiny_runs.train(resume=True)
    assert tiny_runs.only_run == run
    assert "has no checkpoint yet: training starts anew in this folder" in caplog.text
    assert lines_without_time(run / "log.jsonl") == lines_without_time(whole.path / "log.jsonl")


@pytest.mark.parametrize("made", ["", "20260101-000000", "20260101-000000/checkpoints"])
def test_a_run_killed_while_its_folder_was_made_starts_anew(tiny_runs, made) -> None:
    (tiny_runs.folder / "tiny" / made).mkdir(parents=True)
    tiny_runs.train(resume=True)
    assert (tiny_runs.only_run / "checkpoints" / "last.ckpt").exists()


def test_resume_auto_goes_on_or_starts(tiny_runs, caplog) -> None:
    first = session.train(tiny_runs.spec(kimg=0.016), tiny_runs.folder, Resume(or_start=True)).run.path
    assert "there is no run to resume in" in caplog.text
    assert "a new one starts" in caplog.text
    assert session.train(tiny_runs.spec(), tiny_runs.folder, Resume(or_start=True)).run.path == first
    assert load_checkpoint(first / "checkpoints" / "last.ckpt")["clock"]["images_seen"] == 48


def test_there_has_to_be_a_run_to_resume(tiny_runs) -> None:
    with pytest.raises(RunError, match="there is no run to resume in .*tiny: leave out '--resume'"):
        tiny_runs.train(resume=True)


@pytest.mark.parametrize("damage", ["missing", "cut"])
def test_the_newest_intact_checkpoint_takes_the_place_of_the_last(tiny_runs, whole, damage, caplog) -> None:
    tiny_runs.train(kimg=0.032)
    run = tiny_runs.only_run
    last = run / "checkpoints" / "last.ckpt"
    last.unlink()
    if damage == "cut":
        last.write_bytes(b"PK")
        newest = run / "checkpoints" / "kimg-000000.032.ckpt"
        newest.write_bytes(newest.read_bytes()[:100])
    os.utime(run / "checkpoints" / "kimg-000000.ckpt", (2e9, 2e9))  # the clock of the file system says nothing
    (run / "generator.safetensors").write_bytes(b"older")
    tiny_runs.train(resume=True)
    name = "kimg-000000.016.ckpt" if damage == "cut" else "kimg-000000.032.ckpt"
    assert f"{name} is taken instead" in caplog.text
    assert differences(load_checkpoint(whole.last_checkpoint), load_checkpoint(last)) == []
    assert lines_without_time(run / "log.jsonl") == lines_without_time(whole.path / "log.jsonl")
    for name, value in load_file(run / "generator.safetensors").items():
        assert torch.equal(value, load_file(whole.generator)[name])


def test_the_exported_generator_is_never_older_than_the_last_checkpoint(tiny_runs, monkeypatch) -> None:
    tiny_runs.train(kimg=0.016)
    monkeypatch.setattr("ganlab.run.checkpoint_callback.name_as_last", lambda path: (_ for _ in ()).throw(Killed))
    with pytest.raises(Killed):
        tiny_runs.train(resume=True)
    run = open_run(tiny_runs.only_run)
    newest = load_checkpoint(run.checkpoints / "kimg-000000.032.ckpt")["module"]
    for name, value in load_file(run.generator).items():
        assert torch.equal(value, newest[f"averages.copies.{name}"])


def test_checkpoints_go_by_the_images_in_their_names(tiny_runs, monkeypatch) -> None:
    """A clock that was set back once made every new checkpoint the oldest."""
    checkpoint = CheckpointSection(every_kimg=0.016, keep=2)
    tiny_runs.train(kimg=0.032, checkpoint=checkpoint)
    run = tiny_runs.only_run
    for path in run.glob("checkpoints/*"):
        os.utime(path, (2e9, 2e9))
    tiny_runs.train(checkpoint=checkpoint, resume=True)
    names = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert names == ["kimg-000000.032.ckpt", "kimg-000000.048.ckpt", "last.ckpt"]
    shutil.copy(run / "checkpoints" / "kimg-000000.032.ckpt", run / "checkpoints" / "last.ckpt")
    tiny_runs.train(kimg=0.04, checkpoint=checkpoint, resume=True, change=True)
    assert "kimg-000000.040.ckpt" in [path.name for path in (run / "checkpoints").iterdir()]


def test_runs_are_chosen_by_the_time_in_their_names(tmp_path) -> None:
    for name in ("20260102-000000", "20260102-000000-2", "20260102-000000-10", "20260101-000000", "copy"):
        (tmp_path / "x" / name).mkdir(parents=True)
        (tmp_path / "x" / name / "spec.yaml").touch()
    os.utime(tmp_path / "x" / "20260101-000000" / "spec.yaml", (2e9, 2e9))
    assert open_run("x", tmp_path).path.name == "20260102-000000-10"
    run = find_resumable(tmp_path / "x")
    assert run is not None
    assert run.path.name == "20260102-000000-10"
    assert find_resumable(tmp_path / "nothing") is None


def partition(name: str, lines: list[dict]) -> tuple[list[dict], list[dict]]:
    """The lines that have a value of this name, and the others."""
    return [line for line in lines if name in line], [line for line in lines if name not in line]


def test_a_rollback_leaves_one_line_a_moment_and_does_everything_again(tiny_runs, capsys) -> None:
    """The first 32 images are evaluated and shown; the checkpoint to go back to is that of 0 images."""
    tiny_runs.loss = Exploding({4})
    outcome = tiny_runs.train(guard=GuardSection("rollback"), checkpoint=CheckpointSection(every_kimg=0.048, keep=10))
    assert "rolled back to 0 images (1 of 5)" in capsys.readouterr().out
    run = outcome.run.path
    spread, log = partition("diversity/overall", lines_without_time(run / "log.jsonl"))
    assert [line["images_seen"] for line in spread] == [16, 32, 48]
    assert [line["images_seen"] for line in log] == [24, 48]
    assert all(isinstance(line["discriminator/loss"], float) for line in log)
    measured = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["images_seen"] for line in measured] == [16, 32, 48]
    assert load_checkpoint(run / "checkpoints" / "last.ckpt")["clock"]["position"] == 48 + 40
    # The stream went on to other data, so what was measured before the rollback is not what holds now.
    tiny_runs.loss, tiny_runs.folder = Exploding(set()), run.parent.parent.with_name("other")
    other = tiny_runs.train().run.path
    others = [json.loads(line) for line in (other / "metrics.jsonl").read_text().splitlines()]
    assert all(a["mean/fakes"] != b["mean/fakes"] for a, b in zip(measured, others, strict=True))
    others, _ = partition("diversity/overall", lines_without_time(other / "log.jsonl"))
    assert all(a["diversity/within"] != b["diversity/within"] for a, b in zip(spread, others, strict=True))
    assert all((run / "samples" / p.name).read_bytes() != p.read_bytes() for p in other.glob("samples/*0.0*.png"))


def test_lines_are_never_null_under_skip(tiny_runs) -> None:
    tiny_runs.loss = Exploding({1, 4})
    lines = lines_without_time(tiny_runs.train(guard=GuardSection("skip")).run.path / "log.jsonl")
    _, log = partition("diversity/overall", lines)
    assert [line["images_seen"] for line in log] == [24, 48]
    assert all(value is not None for line in log for value in line.values())
