"""Results hold what Pillow makes of the sources, are the same bytes whatever happens, and say what is not in them."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from ganlab_datasets.image_folder import ImageFolder
from ganlab_datasets.image_zip import ImageZip
from PIL import Image

from ganlab.errors import DataError
from ganlab.preparation import prepare_pictures
from tests.preparation.sources import pixels, png, request, tarred, tree, zipped

FILES = {f"{name}/{index}.png": png(seed=index, size=(9, 7)) for name in ("cat", "dog") for index in range(3)}


def images_of(path: Path) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = [name for name in archive.namelist() if name.endswith(".png")]
        return {name: np.asarray(Image.open(io.BytesIO(archive.read(name)))) for name in names}


@pytest.mark.parametrize("kind", ["folder", "zip", "tar", "tgz"])
def test_sources_of_any_kind_give_the_same(tmp_path, kind):
    files = {f"package/img/{name}": content for name, content in FILES.items()} | {"package/notes.txt": b"x"}
    source = {
        "folder": lambda: tree(tmp_path / "a", files),
        "zip": lambda: zipped(tmp_path / "a.zip", files),
        "tar": lambda: tarred(tmp_path / "a.tar", files),
        "tgz": lambda: tarred(tmp_path / "a.tgz", {f"./{name}": content for name, content in files.items()}),
    }[kind]()
    summary = prepare_pictures(request(source, out=tmp_path / "out.zip"), workers=1)
    assert summary.classes == {"cat": 3, "dog": 3}
    assert list(summary.passed_over.values()) == [1]
    data = ImageZip(str(tmp_path / "out.zip"))
    expected = ImageFolder(str(tree(tmp_path / "b", FILES)), resolution=4)
    assert data.facts.class_names == ("cat", "dog")
    for index in range(6):
        assert data.source.names[index] == expected.source.names[index]
        assert data[index]["label"] == expected[index]["label"]
        assert (data[index]["images"] == expected[index]["images"]).all()


def test_transparency_is_laid_on_the_background_as_pillow_does(tmp_path):
    tree(tmp_path / "a", {f"{index}.png": png(mode="RGBA", seed=index) for index in range(3)})
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "a.zip", shape=(8, 12), background="white"), workers=1)
    for index in range(3):
        white = Image.new("RGBA", (12, 8), (255, 255, 255, 255))
        white.alpha_composite(pixels(mode="RGBA", seed=index))
        assert (images_of(tmp_path / "a.zip")[f"{index}.png"] == np.asarray(white.convert("RGB"))).all()


def test_transparency_that_would_be_lost_is_refused(tmp_path):
    opaque = pixels().convert("RGBA")
    buffer = io.BytesIO()
    opaque.save(buffer, "PNG")
    tree(tmp_path / "a", {"0.png": buffer.getvalue(), "1.png": png(mode="RGBA")})
    with pytest.raises(DataError, match=r"'1\.png' .* transparent pixels.*--background white.*--channels 4"):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip"), workers=1)
    assert os.listdir(tmp_path) == ["a"]
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip", channels=4), workers=1)
    assert images_of(tmp_path / "out.zip")["1.png"].shape == (4, 4, 4)


def test_a_folder_is_read_as_one(tmp_path):
    tree(tmp_path / "a", FILES)
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "out", shape=(6, 8)), workers=1)
    data = ImageFolder(str(tmp_path / "out"))
    assert (data.facts.shape, data.facts.class_names) == ((3, 6, 8), ("cat", "dog"))
    assert json.loads((tmp_path / "out.report.json").read_text())["names"]["cat/0.png"] == "cat/0.png"
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "flat", classes="none"), workers=1)
    assert sorted(os.listdir(tmp_path / "flat"))[0] == "cat-0.png"
    assert ImageFolder(str(tmp_path / "flat")).facts.classes == 0


def test_the_whole_picture_is_padded(tmp_path):
    red = io.BytesIO()
    Image.new("RGB", (16, 8), (255, 0, 0)).save(red, "PNG")
    tree(tmp_path / "a", {"a.png": red.getvalue()})
    options = {"shape": (8, 8), "fit": "pad", "resampling": "box"}
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "1.zip", background=(0, 0, 9), **options), workers=1)
    image = images_of(tmp_path / "1.zip")["a.png"]
    assert (image[2:6] == [255, 0, 0]).all()
    assert (image[[0, 1, 6, 7]] == [0, 0, 9]).all()
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "2.zip", channels=4, **options), workers=1)
    assert images_of(tmp_path / "2.zip")["a.png"][:, 0, 3].tolist() == [0, 0, 255, 255, 255, 255, 0, 0]


def test_16_bits_are_kept_when_asked_for(tmp_path):
    deep = io.BytesIO()
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(deep, "PNG")
    tree(tmp_path / "a", {"a.png": deep.getvalue(), "b.png": png()})
    shallow = prepare_pictures(request(tmp_path / "a", out=tmp_path / "8.zip"), workers=1)
    assert [(out.name, "--bits 16" in out.reason) for out in shallow.left_out] == [("a.png", True)]
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "16.zip", channels=1, bits=16), workers=1)
    assert np.unique(images_of(tmp_path / "16.zip")["a.png"]).tolist() == [40_000]


def test_what_is_left_out_is_told(tmp_path):
    good = png(size=(40, 40))
    tree(
        tmp_path / "a",
        {
            "1.png": good,
            "2.png": good,
            "3.png": good[:400],
            "4.jpg": b"",
            "5.png": png(size=(5, 40)),
            "6.txt": b"",
            "7.mp4": b"",
        },
    )
    (tmp_path / "a" / "8.png").symlink_to(tmp_path / "nowhere")
    wish = request(tmp_path / "a", out=tmp_path / "out.zip", min_size=8, skip_duplicates=True)
    summary = prepare_pictures(wish, workers=1)
    found = {out.name: out.kind for out in summary.left_out}
    bad = "unreadable"
    assert found == {"2.png": "duplicate", "3.png": bad, "4.jpg": bad, "5.png": "too small", "8.png": bad}
    assert sorted(summary.passed_over.values()) == [1, 1]
    assert summary.pictures == 1
    assert json.loads((tmp_path / "out.zip.report.json").read_text())["left_out"][0]["name"] == "2.png"


def test_equal_names_get_numbers(tmp_path):
    first, second = tree(tmp_path / "1", {"A.png": png(), "a.bmp": png()}), tree(tmp_path / "2", {"a.png": png()})
    prepare_pictures(request(first, second, out=tmp_path / "out.zip"), workers=1)
    assert list(images_of(tmp_path / "out.zip")) == ["A.png", "a-2.png", "a-3.png"]


def test_workers_and_formats_do_not_change_the_bytes(tmp_path):
    tree(tmp_path / "a", {f"{index:03d}.png": png(seed=index) for index in range(100)} | {"050x.png": b"no"})
    written, shown = [], []
    for name, workers in (("1.zip", 1), ("2.zip", 2)):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / name), workers, lambda *at: shown.append(at))
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1]
    assert shown[100] == shown[201] == (101, 101, 1)


def stopping_after(count):
    def progress(done, total, left_out):
        if done == count:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("name", ["out.zip", "out"])
def test_an_interrupted_one_goes_on_and_reads_nothing_twice(tmp_path, monkeypatch, name):
    tree(tmp_path / "a", {f"ä{index}/{index}.png": png(seed=index % 6) for index in range(8)} | {"x/b.png": b"no"})
    options = {"skip_duplicates": True}
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "whole" / name, **options), workers=1)
    wish = request(tmp_path / "a", out=tmp_path / "parts" / name, **options)
    for count in (3, 7):
        with pytest.raises(KeyboardInterrupt):
            prepare_pictures(wish, 1, stopping_after(count))
    partial = tmp_path / "parts" / f"{name}.partial"
    if partial.is_file():
        with partial.open("ab") as file:
            file.write(b"half a picture")
    with (tmp_path / "parts" / f"{name}.partial.jsonl").open("a") as file:
        file.write('{"size": 1')
    reads = []
    read_bytes = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or read_bytes(path))
    prepare_pictures(wish, workers=1)
    monkeypatch.undo()
    assert len([path for path in reads if path.suffix == ".png"]) == 2
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_pictures_that_a_crash_cut_are_made_again(tmp_path):
    tree(tmp_path / "a", {f"{index}.png": png(seed=index) for index in range(6)})
    for name in ("out.zip", "out"):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "whole" / name), workers=1)
        wish = request(tmp_path / "a", out=tmp_path / "parts" / name)
        with pytest.raises(KeyboardInterrupt):
            prepare_pictures(wish, 1, stopping_after(5))
        partial = tmp_path / "parts" / f"{name}.partial"
        cut = partial if partial.is_file() else partial / "2.png"
        with cut.open("r+b") as file:
            file.truncate(cut.stat().st_size // 2)
        prepare_pictures(wish, workers=1)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_killed_it_goes_on_to_the_same_bytes(tmp_path):
    source = tarred(tmp_path / "a.tgz", {f"{index}.png": png(seed=index) for index in range(300)})
    prepare_pictures(request(source, out=tmp_path / "whole.zip"), workers=1)
    code = (
        "from pathlib import Path; from ganlab.preparation import *\n"
        f"if __name__ == '__main__': prepare_pictures(Request([Path({str(source)!r})], "
        f"Path({str(tmp_path / 'out.zip')!r}), (4, 4)), 2)"
    )
    (tmp_path / "run.py").write_text(code)
    process = subprocess.Popen([sys.executable, str(tmp_path / "run.py")])
    journal = tmp_path / "out.zip.partial.jsonl"
    while process.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > 9):
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out.zip").exists()
    prepare_pictures(request(source, out=tmp_path / "out.zip"), workers=1)
    assert (tmp_path / "out.zip").read_bytes() == (tmp_path / "whole.zip").read_bytes()
    assert not journal.exists()


def test_other_options_do_not_go_on_with_it(tmp_path):
    tree(tmp_path / "a", {f"{index}.png": png(seed=index) for index in range(6)})
    with pytest.raises(KeyboardInterrupt):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip"), 1, stopping_after(3))
    with pytest.raises(DataError, match=r"interrupted preparation with other options.*remove that file"):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip", shape=(8, 8)), 1)
    (tmp_path / "out.zip.partial.jsonl").unlink()
    prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip", shape=(8, 8)), 1)
    assert len(images_of(tmp_path / "out.zip")) == 6


def test_only_one_process_prepares_the_same(tmp_path):
    tree(tmp_path / "a", {"0.png": png(), "1.png": png()})
    wish = request(tmp_path / "a", out=tmp_path / "out.zip")

    def second(*at):
        with pytest.raises(DataError, match="another process prepares the same"):
            prepare_pictures(wish, 1)

    prepare_pictures(wish, 1, second)


def test_nothing_at_all_is_an_error(tmp_path):
    tree(tmp_path / "a", {"0.png": b"no"})
    with pytest.raises(DataError, match=r"all 1 pictures would be left out, such as '0\.png' \(unreadable"):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip"), 1)
    assert os.listdir(tmp_path) == ["a"]


def test_places_that_will_not_do(tmp_path):
    tree(tmp_path / "a", {"0.png": png()})
    (tmp_path / "out.zip").touch()
    with pytest.raises(DataError, match=r"out\.zip' exists already"):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "out.zip"), 1)
    with pytest.raises(DataError, match="lies in the source"):
        prepare_pictures(request(tmp_path / "a", out=tmp_path / "a" / "small"), 1)
