"""What is seen in folders and zips of pictures, and what is said where there are none."""

import zipfile

import pytest
from PIL import Image

from ganlab.errors import DataError
from ganlab.recipes.machine import Machine
from ganlab.recipes.pictures import FEWEST, look_at
from ganlab.recipes.size import choose_resolution

pytest.importorskip("ganlab_datasets")

LAPTOP, LABORATORY = Machine(), Machine("GPU", 1)


def paint(folder, count=FEWEST, size=(20, 20), mode="RGB"):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new(mode, size).save(folder / f"{number}.png")


def test_counts_sizes_colours_transparency_and_classes(tmp_path):
    paint(tmp_path / "cats", 40)
    paint(tmp_path / "dogs", 30, (30, 24), "RGBA")
    pictures = look_at(tmp_path)
    assert (pictures.count, pictures.channels, pictures.transparent) == (70, 3, 30)
    assert pictures.sizes == {(20, 20): 40, (30, 24): 30}
    assert pictures.classes == {"cats": 40, "dogs": 30}
    assert (pictures.typical_side, pictures.proportions, pictures.unlabelled) == (20, None, "")
    assert "70 pictures" in str(pictures)
    assert "30 with transparency, 2 classes" in str(pictures)


@pytest.mark.parametrize(("mode", "depth"), [("L", 8), ("I;16", 16)])
def test_grey_pictures_have_one_channel(tmp_path, mode, depth):
    paint(tmp_path, mode=mode)
    pictures = look_at(tmp_path)
    assert (pictures.channels, pictures.depth, pictures.classes) == (1, depth, {})


def test_folders_that_are_no_classes_are_told(tmp_path):
    paint(tmp_path / "only")
    pictures = look_at(tmp_path)
    assert pictures.classes == {}
    assert "1 class found" in pictures.unlabelled


def test_transparency_that_no_pixel_uses_does_not_count(tmp_path):
    (tmp_path / "pictures").mkdir()
    for number in range(FEWEST):
        Image.new("RGBA", (20, 20), (1, 2, 3, 255)).save(tmp_path / "pictures" / f"{number}.png")
    assert look_at(tmp_path / "pictures").transparent == 0


def test_a_zip_is_read_too(tmp_path):
    paint(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for path in sorted((tmp_path / "folder").iterdir()):
            archive.write(path, path.name)
    pictures = look_at(tmp_path / "some.zip")
    assert (pictures.data, pictures.count) == ("image_zip", FEWEST)


def test_missing_empty_and_nearly_empty_folders_are_refused(tmp_path):
    with pytest.raises(DataError, match="there is no folder or zip"):
        look_at(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no images in"):
        look_at(tmp_path / "empty")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.txt").write_text("no picture")
    with pytest.raises(DataError, match="no images in"):
        look_at(tmp_path / "text")
    paint(tmp_path / "few", 3)
    with pytest.raises(DataError, match=f"holds 3 pictures.*at least {FEWEST}"):
        look_at(tmp_path / "few")


@pytest.mark.parametrize(
    ("size", "machine", "resolution"),
    [
        ((20, 20), LAPTOP, 16),
        ((32, 33), LAPTOP, 32),
        ((300, 300), LAPTOP, 64),
        ((300, 300), LABORATORY, 256),
        ((64, 48), LAPTOP, (48, 64)),
        ((48, 64), LAPTOP, (64, 48)),
        ((640, 360), LABORATORY, (256, 448)),
        ((8, 8), LAPTOP, 16),
    ],
)
def test_the_resolution_fits_the_pictures_and_the_machine(tmp_path, size, machine, resolution):
    paint(tmp_path, size=size)
    chosen, why = choose_resolution(look_at(tmp_path), machine)
    assert chosen == resolution
    assert why.endswith(".")


def test_pictures_of_different_proportions_become_squares(tmp_path):
    paint(tmp_path / "a", 30, (40, 60))
    paint(tmp_path / "b", 30, (60, 40))
    chosen, why = choose_resolution(look_at(tmp_path), LAPTOP)
    assert chosen == 32
    assert "middle is cut out" in why
