from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.data import save_grid, save_scatter
from ganlab.evaluation.pictures import save_picture
from tests.data.toys import Sequences


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_images_lie_row_by_row(tmp_path, channels, mode):
    images = torch.randint(256, (6, channels, 4, 5), dtype=torch.uint8)
    save_grid(images, tmp_path / "deep" / "grid.png", 2, 3)
    picture = Image.open(tmp_path / "deep" / "grid.png")
    assert (picture.mode, picture.size) == (mode, (15, 8))
    pixels = np.asarray(picture).reshape(8, 15, channels)
    for place in range(6):
        row, column = divmod(place, 3)
        part = pixels[row * 4 : row * 4 + 4, column * 5 : column * 5 + 5]
        assert np.array_equal(part, images[place].permute(1, 2, 0).numpy())
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["grid.png"]


def test_16_bits_are_shown_in_8_and_many_channels_as_three(tmp_path):
    images = torch.tensor([0, 257, 65535]).to(torch.uint16).view(3, 1, 1, 1)
    save_grid(images, tmp_path / "grid.png", 1, 3)
    assert np.asarray(Image.open(tmp_path / "grid.png")).tolist() == [[0, 1, 255]]
    save_grid(torch.zeros(1, 7, 2, 2, dtype=torch.uint8), tmp_path / "grid.png", 1, 1)
    assert Image.open(tmp_path / "grid.png").mode == "RGB"


def test_missing_images_leave_black_places_and_surplus_is_left_out(tmp_path):
    white = torch.full((3, 1, 1, 1), 255, dtype=torch.uint8)
    save_grid(white, tmp_path / "grid.png", 2, 2)
    assert np.asarray(Image.open(tmp_path / "grid.png")).tolist() == [[255, 255], [255, 0]]
    save_grid(white, tmp_path / "grid.png", 1, 2)
    assert np.asarray(Image.open(tmp_path / "grid.png")).tolist() == [[255, 255]]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "grid.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(Image.Image, "save", lambda *args, **kwargs: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save_grid(torch.zeros(1, 1, 1, 1, dtype=torch.uint8), target, 1, 1)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_scatter_plot_is_a_png(tmp_path):
    save_scatter(torch.randn(20, 3), tmp_path / "points.png", reference=torch.randn(20, 2))
    assert Image.open(tmp_path / "points.png").format == "PNG"


def test_sequences_are_rows_of_frames_and_move_together(tmp_path):
    facts = Sequences().facts
    examples = Sequences().images.flatten(0, 1)
    save_picture(examples, tmp_path / "grid.png", facts, (8, 8))
    picture = np.asarray(Image.open(tmp_path / "grid.png"))
    assert picture.shape == (6 * (4 + 2) - 2, 3 * (4 + 2) - 2)
    assert picture[6 * 2, [1, 7, 13]].tolist() == [20, 21, 22]
    moving = Image.open(tmp_path / "grid.gif")
    assert (moving.n_frames, moving.size) == (3, (3 * 6 - 2, 2 * 6 - 2))
    first, last = (np.asarray((moving.seek(frame), moving.convert("L"))[1], dtype=int) for frame in (0, 2))
    assert last[1, 1] - first[1, 1] == 2
