"""Disks that fail: at every file that a run writes, and in every way in which a file can fail."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
from pathlib import Path

import pytest

from ganlab import files
from ganlab.errors import RunError
from ganlab.training.checkpoint import load_checkpoint
from tests.acceptance.commands import differences

WAYS = ["open", "body", "sync", "rename"]
pytestmark = pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="there is no /dev/full")


class Disk:
    """Fails when a file is written whose temporary name holds a word, from the `after`-th time on, until mended."""

    def __init__(self, monkeypatch, word: str, way: str, after: int = 0) -> None:
        self.word, self.way, self.left, self.broken = word, way, after, True
        opened, sync, replace = io.open, files._sync, Path.replace
        monkeypatch.setattr(io, "open", lambda path, *a, **o: opened(self._at_open(path, *a), *a, **o))
        monkeypatch.setattr(builtins, "open", lambda path, *a, **o: opened(self._at_open(path, *a), *a, **o))
        monkeypatch.setattr(files, "_sync", lambda path: self._check("sync", path) or sync(path))
        monkeypatch.setattr(Path, "replace", lambda path, to: self._check("rename", path) or replace(path, to))

    def _at_open(self, path, mode="r", *rest):
        if "r" in mode and "+" not in mode:
            return path
        self._check("open", path)
        return "/dev/full" if self._fails("body", path) else path

    def _check(self, way, path) -> None:
        if self._fails(way, path):
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    def _fails(self, way, path) -> bool:
        if not self.broken or way != self.way or self.word not in str(path) or ".tmp" not in str(path):
            return False
        self.left -= 1
        return self.left < 0


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob(".*"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["spec", "provenance"])
def test_a_run_without_a_spec_is_none(tiny_runs, monkeypatch, word, way) -> None:
    Disk(monkeypatch, word, way)
    with pytest.raises(RunError, match=r"the run folder cannot be written: .*(Input/output|No space left)"):
        tiny_runs.train()
    monkeypatch.undo()
    assert leftovers(tiny_runs.folder) == []
    assert not list(tiny_runs.folder.rglob(f"{word}*"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("word", "after"), [("kimg-000000.016", 0), ("generator", 1), ("last", 1)])
def test_a_checkpoint_that_cannot_be_written_ends_the_run_with_a_sentence(
    tiny_runs, monkeypatch, caplog, word, after, way
) -> None:
    if word == "last" and way in ("open", "body"):
        monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError("no hard links here")))
    snapshots = tiny_runs.spec(snapshots=None).snapshots
    disk = Disk(monkeypatch, word, way, after)
    with pytest.raises(RunError, match=r"cannot (write|tidy up) .*: (Input/output error|No space left on device); "):
        tiny_runs.train(snapshots=snapshots)
    run = tiny_runs.only_run
    assert leftovers(run) == []
    state = load_checkpoint(run / "checkpoints" / "last.ckpt")
    assert state["clock"]["images_seen"] == 0, "the earlier one is intact"
    disk.broken = False
    tiny_runs.train(snapshots=snapshots, resume=True)
    resumed = load_checkpoint(tiny_runs.only_run / "checkpoints" / "last.ckpt")
    tiny_runs.folder = tiny_runs.folder.with_name("whole")
    tiny_runs.train(snapshots=snapshots)
    assert differences(load_checkpoint(tiny_runs.only_run / "checkpoints" / "last.ckpt"), resumed) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["kimg-000000.016", "reals"])
def test_a_picture_that_cannot_be_written_is_named_in_the_log(tiny_runs, monkeypatch, caplog, word, way) -> None:
    Disk(monkeypatch, f"samples/.{word}", way)
    run = tiny_runs.train().run
    (warning,) = [record.getMessage() for record in caplog.records if "warning" in record.getMessage()]
    assert f"the picture {run.samples / word}.png cannot be written" in warning
    pictures = {f"{name}.png" for name in ("reals", "kimg-000000", *(f"kimg-000000.0{n}" for n in (16, 32, 48)))}
    assert {path.name for path in run.samples.iterdir()} == pictures - {f"{word}.png"}
    first, *others = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert len(first["gaps"]) == 1
    assert f"samples/{word}.png could not be written" in first["gaps"][0]
    assert all("gaps" not in other for other in others)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("word", ["log", "metrics"])
def test_logs_that_cannot_be_begun_are_whole_in_the_end(tiny_runs, monkeypatch, caplog, word, way) -> None:
    disk = Disk(monkeypatch, word, way)
    disk.left = -1
    evaluate = tiny_runs.module

    def mended_after_a_line(spec, facts):
        module = evaluate(spec, facts)
        step = module.training_step

        def training_step(batch, index):
            disk.broken = module.clock.images_seen < 32
            step(batch, index)

        module.training_step = training_step
        return module

    monkeypatch.setattr("ganlab.run.session.build_module", mended_after_a_line)
    run = tiny_runs.train().run
    (warning,) = [record.getMessage() for record in caplog.records if "warning" in record.getMessage()]
    assert "log.jsonl cannot be written to" in warning
    moments = {
        name: [json.loads(line)["images_seen"] for line in (run.path / f"{name}.jsonl").read_text().splitlines()]
        for name in ("log", "metrics")
    }
    assert moments == {"log": [24, 48], "metrics": [16, 32, 48]}


def test_what_a_killed_process_left_is_removed(tiny_runs) -> None:
    tiny_runs.train(kimg=0.016)
    run = tiny_runs.only_run
    for place in (run, run / "checkpoints", run / "samples"):
        (place / ".half.123.tmp.ckpt").touch()
    tiny_runs.train(resume=True)
    assert leftovers(run) == []
