"""What is refused of sources, and what is taken of them."""

from __future__ import annotations

import builtins
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from ganlab.cli.app import app
from ganlab.errors import DataError
from ganlab.preparation import prepare_pictures
from ganlab.preparation.sources import open_source
from tests.preparation.sources import png, request, tarred, tree, zipped


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png", "/etc/evil.png", "C:/evil.png", "..\\evil.png"])
@pytest.mark.parametrize("make", [zipped, tarred])
def test_names_that_lead_out_are_refused(tmp_path, name, make):
    source = make(tmp_path / ("a.zip" if make is zipped else "a.tgz"), {"good.png": png(), name: png()})
    with pytest.raises(DataError, match="leads out of the archive"):
        prepare_pictures(request(source, out=tmp_path / "out"), 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [source.name]


def test_links_in_archives_are_refused_and_can_be_left_out(tmp_path):
    secret = tree(tmp_path / "s", {"secret.png": png()}) / "secret.png"
    source = tarred(tmp_path / "a.tar", {"a.png": png()}, links={"b.png": str(secret), "notes": "x"})
    with pytest.raises(DataError, match=r"1 links.*'b\.png'.*--exclude 'b\.png'"):
        prepare_pictures(request(source, out=tmp_path / "out.zip"), 1)
    assert prepare_pictures(request(source, out=tmp_path / "out.zip", exclude=["b.png"]), 1).pictures == 1
    linked = zipfile.ZipInfo("b.png")
    linked.create_system, linked.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(linked, str(secret))
    with pytest.raises(DataError, match="links in archives are not followed"):
        prepare_pictures(request(tmp_path / "a.zip", out=tmp_path / "2.zip"), 1)


def test_links_out_of_a_folder_are_followed_where_that_is_asked(tmp_path):
    elsewhere = tree(tmp_path / "s", {"c/secret.png": png(seed=2)})
    source = tree(tmp_path / "a", {"a.png": png(), "pictures/b.png": png(seed=1)})
    (source / "inside.png").symlink_to(source / "a.png")
    assert prepare_pictures(request(source, out=tmp_path / "1.zip"), 1).pictures == 3
    (source / "out.png").symlink_to(elsewhere / "c" / "secret.png")
    (source / "folder").symlink_to(elsewhere / "c")
    with pytest.raises(DataError, match=r"2 files in .* lie elsewhere, .*'folder/secret\.png': --follow-links"):
        prepare_pictures(request(source, out=tmp_path / "2.zip"), 1)
    outside = ["out.png", "folder/*"]
    assert prepare_pictures(request(source, out=tmp_path / "3.zip", exclude=outside), 1).pictures == 3
    assert prepare_pictures(request(source, out=tmp_path / "4.zip", follow_links=True), 1).pictures == 5


def test_pipes_in_a_folder_are_not_waited_for(tmp_path):
    source = tree(tmp_path / "a", {"a.png": png()})
    os.mkfifo(source / "b.png")
    assert prepare_pictures(request(source, out=tmp_path / "out.zip"), 1).pictures == 1


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("ganlab.preparation.members._LARGEST_UNASKED", 1 << 20)
    for source in (
        zipped(tmp_path / "a.zip", {"a.png": bytes(4 << 20)}),
        tarred(tmp_path / "a.tgz", {"a.png": bytes(4 << 20), "b.png": b""}),
    ):
        with pytest.raises(DataError, match="as a decompression bomb does"):
            prepare_pictures(request(source, out=tmp_path / "out.zip"), 1)


def test_too_large_files_and_huge_pictures_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr("ganlab.preparation.members.LARGEST_PICTURE", 5000)
    huge = png(size=(1, 1))
    huge = huge[:16] + struct.pack(">II", 60_000, 60_000) + huge[24:]
    huge = huge[:29] + struct.pack(">I", zlib.crc32(huge[12:29])) + huge[33:]
    files = {"a.png": png(), "b.png": png(size=(90, 90)), "c.png": huge}
    for source in (zipped(tmp_path / "a.zip", files), tarred(tmp_path / "a.tar", files), tree(tmp_path / "a", files)):
        out = tmp_path / f"{source.name}.out"
        reasons = {out.name: out.reason for out in prepare_pictures(request(source, out=out), 1).left_out}
        assert "are allowed" in reasons["b.png"]
        assert "decompression bomb" in reasons["c.png"]


def test_archives_that_cannot_be_read_are_explained(tmp_path):
    whole = tarred(tmp_path / "a.tgz", {f"{index}.png": png(seed=index) for index in range(20)}).read_bytes()
    (tmp_path / "cut.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.tgz' is damaged or was not fetched to its end"):
        open_source(tmp_path / "cut.tgz", 1)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(DataError, match=r"is no folder, zip, tar .* or video"):
        open_source(tmp_path / "text.zip", 1)
    with pytest.raises(DataError, match="does not exist"):
        open_source(tmp_path / "nowhere", 1)
    (tmp_path / "one.png").write_bytes(png())
    with pytest.raises(DataError, match="is one picture; name the folder"):
        open_source(tmp_path / "one.png", 1)


def test_a_damaged_member_of_a_zip_is_left_out(tmp_path):
    source = zipped(tmp_path / "a.zip", {"a.png": png(seed=1), "b.png": png(seed=2)})
    content = bytearray(source.read_bytes())
    content[60] ^= 255
    source.write_bytes(content)
    summary = prepare_pictures(request(source, out=tmp_path / "out.zip"), 1)
    assert [(out.name, out.kind) for out in summary.left_out] == [("a.png", "unreadable")]


def test_patterns_choose(tmp_path):
    files = {f"img/{vendor}/{size}/{index}.png": png() for vendor in "ab" for size in (32, 64) for index in range(2)}
    source = tree(tmp_path / "a", files)
    options = {"include": ["img/a/*"], "exclude": ["*/32/*"]}
    summary = prepare_pictures(request(source, out=tmp_path / "out.zip", **options), 1)
    assert sorted(summary.names) == ["0.png", "1.png"]
    assert sorted(summary.passed_over.values()) == [2, 4]
    with pytest.raises(
        DataError, match=r"--include 'img/c/\*' names no picture.*8 pictures, such as 'img/a/32/0\.png'"
    ):
        prepare_pictures(request(source, out=tmp_path / "2.zip", include=["img/c/*"]), 1)
    with pytest.raises(DataError, match="no pictures in"):
        prepare_pictures(request(source, out=tmp_path / "2.zip", exclude=["*"]), 1)


def test_classes_are_folders_below_what_all_share(tmp_path):
    source = tree(tmp_path / "a", {"x/y/cat/1/0.png": png(), "x/y/dog/0.png": png(), "x/y/0.png": png()})
    assert prepare_pictures(request(source, out=tmp_path / "1.zip"), 1).classes == {}
    with pytest.raises(DataError, match=r"1 of 3 pictures lie in no folder of a class, such as '0\.png'"):
        prepare_pictures(request(source, out=tmp_path / "2.zip", classes="folders"), 1)
    without = request(source, out=tmp_path / "2.zip", classes="folders", exclude=["x/y/*.png"])
    with pytest.raises(DataError, match="no pictures in"):  # '*' crosses folders
        prepare_pictures(without, 1)
    kept = request(source, out=tmp_path / "2.zip", classes="folders", exclude=["x/y/0.png"])
    assert prepare_pictures(kept, 1).classes == {"cat": 1, "dog": 1}


def test_a_link_to_a_folder_around_it_ends(tmp_path):
    source = tree(tmp_path / "a", {"b/0.png": png()})
    (source / "b" / "loop").symlink_to(source)
    assert [member.name for member in open_source(source, 1).members] == ["b/0.png"]


@pytest.mark.skipif(os.name != "posix", reason="names are Unicode elsewhere")
def test_names_that_are_no_unicode(tmp_path):
    source = tree(tmp_path / "a", {"a.png": png()})
    for name in (b"/bad\xff.png", b"/worse\xff.png"):
        Path(os.fsdecode(os.fsencode(source) + name)).write_bytes(png() if b"bad" in name else b"no")
    for out in ("1.zip", "1"):
        summary = prepare_pictures(request(source, out=tmp_path / out), 1)
        assert sorted(summary.names) == ["a.png", "bad?.png"]
    result = CliRunner().invoke(
        app, ["data", "prepare", str(source), "--out", str(tmp_path / "2"), "--resolution", "4"]
    )
    assert "  worse\\udcff.png: it is empty" in result.output


def test_places_that_cannot_be_written(tmp_path):
    source = tree(tmp_path / "a", {"a.png": png()})
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        prepare_pictures(request(source, out=tmp_path / "file" / "out.zip"), 1)


def test_a_source_that_goes_away_is_told(tmp_path):
    source = tarred(tmp_path / "a.tar", {f"{index}.png": png(seed=index) for index in range(9)})

    def cut(done, total, left_out):
        with source.open("r+b") as file:
            file.truncate(2000)

    with pytest.raises(DataError, match=r"a\.tar' cannot be read any more"):
        prepare_pictures(request(source, out=tmp_path / "out.zip"), 1, cut)


def video(path: Path, count: int = 7) -> Path:
    """Frames of one grey each, brighter by 30 from one to the next."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((16, 32, 3), 30 * index, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_frames_of_a_video(tmp_path):
    from ganlab_datasets.image_zip import ImageZip

    summary = prepare_pictures(request(video(tmp_path / "clip.mp4"), out=tmp_path / "out.zip", every=3), 1)
    assert list(summary.names) == ["clip-000000.png", "clip-000003.png", "clip-000006.png"]
    means = [float(ImageZip(str(tmp_path / "out.zip"))[index]["images"].float().mean()) for index in range(3)]
    assert means == pytest.approx([0, 90, 180], abs=4)


def test_videos_that_cannot_be_read_are_explained(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(b"no video")
    pytest.importorskip("av")
    with pytest.raises(DataError, match="cannot be read"):
        open_source(tmp_path / "a.mp4", 1)
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "av":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(DataError, match=r"PyAV, which is not installed.*ganlab\[video\]"):
        open_source(tmp_path / "a.mp4", 1)
