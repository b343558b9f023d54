"""Paths that are no files, or cannot be written: each ends in a sentence and exit code 2."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from ganlab.cli import app, main
from ganlab.errors import SpecError
from ganlab.sweeps.file import is_sweep_file, read_sweep_file


def test_a_path_that_cannot_be_written_is_a_sentence(monkeypatch, capsys, tmp_path):
    taken = tmp_path / "taken\x1b"
    taken.write_text("")
    monkeypatch.setattr(app, "app", lambda **_: taken.mkdir())
    monkeypatch.setattr(sys, "argv", ["ganlab", "sample"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"ganlab: cannot read or write '{tmp_path}/taken\\x1b': File exists\n"


def test_a_full_disk_is_a_sentence(monkeypatch, capsys):
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(app, "app", full)
    monkeypatch.setattr(sys, "argv", ["ganlab", "sample"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == "ganlab: cannot read or write a file: No space left on device\n"


def test_an_error_of_no_file_is_raised(monkeypatch):
    def broken(**_: object) -> None:
        raise BrokenPipeError(errno.EPIPE, "broken")

    monkeypatch.setattr(app, "app", broken)
    with pytest.raises(BrokenPipeError):
        main()


def test_a_pipe_is_no_sweep_and_nobody_waits_for_it(tmp_path: Path):
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert not is_sweep_file(pipe)
    for path in (pipe, tmp_path):
        with pytest.raises(SpecError, match="it is no file, but a folder, a device or a pipe"):
            read_sweep_file(path)
