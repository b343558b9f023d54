"""Folders that would stall a training, hold more than they show, or move the terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ganlab_datasets.image_folder import ImageFolder
from PIL import Image

from ganlab.errors import DataError


def saved(path: Path, size=(8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "red").save(path)


def test_pictures_of_too_many_pixels_are_refused_before_they_are_decoded(tmp_path):
    saved(tmp_path / "small.png")
    saved(tmp_path / "large.png", (100, 50))
    dataset = ImageFolder(str(tmp_path), resolution=8, max_pixels=4999)
    (problem,) = [record.problem for record in dataset.inspect() if record.problem]
    assert "large.png cannot be read: it has 100 x 50 pixels, more than the 4,999 that 'max_pixels' allows" in problem
    with pytest.raises(DataError, match="more than the 4,999 that 'max_pixels' allows"):
        dataset[0]
    assert ImageFolder(str(tmp_path), resolution=8, max_pixels=5000)[0]["images"].shape == (3, 8, 8)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_no_picture(tmp_path):
    """Reading it once took for ever."""
    saved(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b.png")
    (tmp_path / "c.png").symlink_to("/dev/zero")
    assert ImageFolder(str(tmp_path)).source.names == ["a.png"]


def test_links_out_of_the_folder_are_followed_where_asked(tmp_path):
    saved(tmp_path / "in" / "a.png")
    saved(tmp_path / "out" / "b.png")
    (tmp_path / "in" / "inside.png").symlink_to("a.png")
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    assert ImageFolder(str(tmp_path / "in")).source.names == ["a.png", "inside.png"]
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "out" / "b.png")
    (tmp_path / "in" / "more").symlink_to(tmp_path / "out")
    with pytest.raises(DataError, match=r"2 files in .* lie elsewhere, where links lead .such as link.png, more/b.png"):
        ImageFolder(str(tmp_path / "in"))
    followed = ImageFolder(str(tmp_path / "in"), labels="none", follow_links=True)
    assert followed.source.names == ["a.png", "inside.png", "link.png", "more/b.png"]
    (tmp_path / "linked").symlink_to(tmp_path / "out")
    assert len(ImageFolder(str(tmp_path / "linked"))) == 1


def test_names_that_would_move_the_terminal_are_escaped(tmp_path):
    (tmp_path / "a\n\x1b[2Jb.png").write_bytes(b"nothing")
    saved(tmp_path / "c.png")
    (bad, _) = ImageFolder(str(tmp_path)).inspect()
    assert bad.path == "a\\n\\x1b[2Jb.png"
    assert "a\\n\\x1b[2Jb.png cannot be read" in bad.problem
