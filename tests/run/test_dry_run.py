"""A training in small: what it tries, what it leaves behind, and what it tells."""

from __future__ import annotations

import pytest

from ganlab.errors import SpecError
from ganlab.games.growing import GrowingGAN
from ganlab.run import checkpoint_callback
from ganlab.run.dry_run import Stage, _Rehearsal, _told, dry_run, stages_of
from ganlab.spec import read_spec
from ganlab.spec.model import CheckpointSection, EvaluationSection, SnapshotSection
from tests.cli.test_run_commands import ganlab
from tests.tiny import Logistic, TinyDiscriminator, TinyGenerator, tiny_gan, tiny_settings


def test_everything_is_tried_and_nothing_is_kept(toy_spec, tmp_path, monkeypatch):
    tried = []
    original = checkpoint_callback.save_checkpoint
    monkeypatch.setattr(
        checkpoint_callback, "save_checkpoint", lambda path, state: (tried.append(path.name), original(path, state))
    )
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = ganlab("train", toy_spec, "--dry-run", "kimg=1000", "tracking.wandb=null", "checkpoint.every_kimg=100")
    lines = result.stdout.splitlines()
    assert lines[0] == "dry run: rounds of each stage, samples, pictures and checkpoints work"
    assert [line.split(":")[0] for line in lines] == ["dry run", "images/s", "memory", "time"]
    assert all(part in lines[3] for part in ("training ", "evaluating ", "saving ", "drawing samples "))
    assert tried == ["kimg-000000.ckpt", "kimg-001000.ckpt"]
    assert sorted(tmp_path.iterdir()) == before


def test_what_would_end_a_training_ends_the_dry_run(toy_spec):
    with pytest.raises(SpecError):
        dry_run(read_spec(toy_spec, ["tracking.wandb=null", "trainer.devices=3"]))


def test_stages_are_found_where_a_step_changes():
    growth = {"shape": (1, 16, 16), "fade_kimg": 0.1, "stabilise_kimg": 0.1, "batch_sizes": {16: 4}}
    gan = GrowingGAN(TinyGenerator(), TinyDiscriminator(), loss=Logistic(), **growth)
    gan.settings = tiny_settings()
    assert stages_of(gan, 0, 1000) == [Stage(0, 100), Stage(100, 300), Stage(300, 1000)]
    assert stages_of(gan, 0, 250) == [Stage(0, 100), Stage(100, 250)]
    assert stages_of(tiny_gan(), 0, 1000) == [Stage(0, 1000)]


def test_the_time_is_that_of_all_stages_and_pauses(tiny_runs):
    spec = tiny_runs.spec(
        kimg=100.0,
        evaluation=EvaluationSection(every_kimg=40.0, samples=2560),
        checkpoint=CheckpointSection(every_kimg=50.0),
        snapshots=SnapshotSection(every_kimg=30.0),
    )
    rehearsal = _Rehearsal(100_000)
    rehearsal.stages = [Stage(0, 20_000, 0.001), Stage(20_000, 100_000, 0.01)]
    rehearsal.memory = 1234.5
    rehearsal.pauses.seconds = {"saving": 1.0, "drawing samples": 2.0, "evaluating": 3.0}
    assert _told(spec, rehearsal)[1:] == [
        "images/s: 1,000 from 0 kimg, 100 from 20 kimg",
        "memory: 1,234 MiB",
        # 20 + 800 seconds; 2 checkpoints; 4 pictures; 3 evaluations of ten times as many samples
        "time: about 0:15:20 (training 0:13:40, saving 0:00:02, drawing samples 0:00:08, evaluating 0:01:30)",
    ]
