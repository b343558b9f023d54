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
    """Fails when a file is written that is to become `name`, from the `after`-th time on, until mended."""

    def __init__(self, monkeypatch, name: str, way: str, after: int = 0) -> None:
        self.name, self.way, self.left, self.broken = name, way, after, True
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

    def _matches(self, name: str) -> bool:
        stem, suffix = self.name.rsplit(".", 1)
        return name.startswith(f".{stem}.") and name.endswith(f".{suffix}")

    def _fails(self, way, path) -> bool:
        if not self.broken or way != self.way or ".tmp." not in str(path) or not self._matches(Path(path).name):
            return False
        self.left -= 1
        return self.left < 0


def leftovers(folder: Path) -> list[Path]:
    return list(folder.rglob(".*"))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["spec.yaml", "provenance.json"])
def test_a_run_without_a_spec_is_none(tiny_runs, monkeypatch, name, way) -> None:
    Disk(monkeypatch, name, way)
    with pytest.raises(RunError, match=r"the run folder cannot be written: .*(Input/output|No space left)"):
        tiny_runs.train()
    monkeypatch.undo()
    assert leftovers(tiny_runs.folder) == []
    assert not list(tiny_runs.folder.rglob(name))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "after"), [("kimg-000000.016.ckpt", 0), ("generator.safetensors", 1), ("last.ckpt", 1)]
)
def test_a_checkpoint_that_cannot_be_written_ends_the_run_with_a_sentence(
    tiny_runs, monkeypatch, caplog, name, after, way
) -> None:
    if name == "last.ckpt" and way in ("open", "body"):
        monkeypatch.setattr(os, "link", lambda *paths: (_ for _ in ()).throw(OSError("no hard links here")))
    snapshots = tiny_runs.spec(snapshots=None).snapshots
    disk = Disk(monkeypatch, name, way, after)
    with pytest.raises(RunError, match=r"cannot write .*: (Input/output error|No space left on device); "):
        tiny_runs.train(snapshots=snapshots)
    run = tiny_runs.only_run
    assert leftovers(run) == []
    state = load_checkpoint(run / "checkpoints" / "last.ckpt")
    assert state["clock"]["images_seen"] == 0, "the earlier one is intact"
    disk.broken = False
    tiny_runs.train(snapshots=snapshots, resume=True)
    resumed = load_checkpoint(tiny_runs.only_run / "checkpoints" / "last.ckpt")
    whole = tiny_runs.whole(snapshots=snapshots)
    assert differences(load_checkpoint(whole.last_checkpoint), resumed) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["kimg-000000.016.png", "reals.png"])
def test_a_picture_that_cannot_be_written_is_named_in_the_log(tiny_runs, monkeypatch, caplog, name, way) -> None:
    Disk(monkeypatch, name, way)
    run = tiny_runs.train().run
    (warning,) = [record.getMessage() for record in caplog.records if "warning" in record.getMessage()]
    assert f"the picture {run.samples / name} cannot be written" in warning
    pictures = {f"{stem}.png" for stem in ("reals", "kimg-000000", *(f"kimg-000000.0{n}" for n in (16, 32, 48)))}
    assert {path.name for path in run.samples.iterdir()} - {"latest.png"} == pictures - {name}
    first, *others = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert len(first["gaps"]) == 1
    assert f"samples/{name} could not be written" in first["gaps"][0]
    assert all("gaps" not in other for other in others)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["log.jsonl", "metrics.jsonl"])
def test_logs_that_cannot_be_begun_are_whole_in_the_end(tiny_runs, monkeypatch, caplog, name, way) -> None:
    disk = Disk(monkeypatch, name, way)

    def mended_after_a_line(spec, facts):
        module = tiny_runs.module(spec, facts)
        step = module.training_step

        def training_step(*arguments):
            disk.broken = module.clock.images_seen < 32
            step(*arguments)

        module.training_step = training_step
        return module

    monkeypatch.setattr("ganlab.run.session.build_module", mended_after_a_line)
    run = tiny_runs.train().run
    (warning,) = [record.getMessage() for record in caplog.records if "warning" in record.getMessage()]
    assert "log.jsonl cannot be written to" in warning
    moments = {
        file.name: [json.loads(line)["images_seen"] for line in file.read_text().splitlines()]
        for file in run.path.glob("*.jsonl")
    }
    assert moments == {"log.jsonl": [24, 48], "metrics.jsonl": [16, 32, 48], "events.jsonl": [48]}


def test_what_a_killed_process_left_is_removed(tiny_runs) -> None:
    tiny_runs.train(kimg=0.016)
    run = tiny_runs.only_run
    for place in (run, run / "checkpoints", run / "samples"):
        (place / ".half.123.tmp.ckpt").touch()
    tiny_runs.train(resume=True)
    assert leftovers(run) == []
