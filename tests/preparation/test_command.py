"""`ganlab data prepare`: what is typed, what is printed, and mistakes."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import Interrupted
from tests.preparation.sources import png, tree


def run(*arguments):
    return CliRunner().invoke(app, ["data", "prepare", *map(str, arguments)])


def test_a_report_and_what_to_write_in_a_spec(tmp_path):
    files = {f"{name}/{index}.png": png(mode="RGBA", seed=index) for name in "ab" for index in range(2)}
    source = tree(tmp_path / "a", files | {"a/bad.png": b"no"})
    out = tmp_path / "new" / "out.zip"
    result = run(source, "--out", out, "--resolution", "32x48", "--background", "255,240,200")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""  # no rest of a progress bar
    assert "4 pictures of 48x32 pixels in 2 classes (by folder)" in result.stdout
    assert "left out, unreadable: 1\n  a/bad.png: it is empty, damaged or not an image" in result.stdout
    assert "4 pictures have transparency and were laid on the background" in result.stdout
    assert "4 pictures were enlarged to more than twice their size" in result.stdout
    assert f"data: {{name: image_zip, path: {out}, resolution: [32, 48], channels: 3}}" in result.stdout
    assert out.exists()


def test_names_do_nothing_to_the_terminal(tmp_path):
    source = tree(tmp_path / "a", {"0.png": png(), "\x1b[2J\nb.png": b"no"})
    result = run(source, "--out", tmp_path / "\x1b[2J.zip", "--resolution", "4")
    assert "  \\x1b[2J\\nb.png: it is empty" in result.stdout
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resolution", "big"], r"--resolution is the side of a square, as in 64, or height x width"),
        (["--resolution", "0"], "--resolution is 1 to 16384"),
        (["--background", "green"], "white, black or three numbers"),
        (["--background", "1,2,300"], "from 0 to 255"),
        (["--channels", "2"], "--channels is one of 1, 3, 4, not 2"),
        (["--channels", "4", "--background", "white"], "--background has no use with --channels 4"),
        (["--bits", "16"], "add --channels 1"),
        (["--bits", "12"], "--bits is one of 8, 16"),
        (["--workers", "0"], "--workers is a number from 1"),
        (["--min-size", "0"], "numbers from 1"),
        (["--every", "0"], "numbers from 1"),
    ],
)
def test_mistakes(tmp_path, options, message):
    source = tree(tmp_path / "a", {"0.png": png()})
    result = run(source, "--out", tmp_path / "out.zip", "--resolution", "4", *options)
    assert result.exception.exit_code == 2
    assert re.search(message, str(result.exception)), result.exception
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_ctrl_c_keeps_what_was_made(tmp_path, monkeypatch):
    source = tree(tmp_path / "a", {"0.png": png()})

    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("ganlab.preparation.preparing._Preparation._take", interrupted)
    with pytest.raises(Interrupted) as stopped:
        run(source, "--out", tmp_path / "out.zip", "--resolution", "4")
    assert stopped.value.exit_code == 130
    assert (tmp_path / "out.zip.partial.jsonl").exists()
