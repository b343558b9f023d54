from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.data import save_grid, save_scatter
from ganlab.data.grid import opaque, save_animation, save_sheet


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


def test_a_sheet_enlarges_by_whole_factors_to_about_a_thousand_pixels(tmp_path):
    images = torch.randint(256, (6, 3, 4, 5), dtype=torch.uint8)
    save_sheet(images, tmp_path / "sheet.png", 2, 3)
    pixels = np.asarray(Image.open(tmp_path / "sheet.png"))
    factor = round(1000 / 15)
    height, width = 4 * factor, 5 * factor
    assert pixels.shape == (2 * height + 2, 3 * width + 4, 3)
    for place in range(6):
        top, left = place // 3 * (height + 2), place % 3 * (width + 2)
        cell = pixels[top : top + height, left : left + width]
        expected = images[place].permute(1, 2, 0).numpy().repeat(factor, 0).repeat(factor, 1)
        assert np.array_equal(cell, expected)
    save_sheet(torch.zeros(1, 1, 900, 900, dtype=torch.uint8), tmp_path / "sheet.png", 1, 1)
    assert Image.open(tmp_path / "sheet.png").size == (900, 900)


def test_names_stand_at_the_left_of_their_rows(tmp_path):
    images = torch.zeros(6, 1, 4, 4, dtype=torch.uint8)
    save_sheet(images, tmp_path / "plain.png", 3, 2)
    save_sheet(images, tmp_path / "named.png", 3, 2, ["ape", "", "a name that is far too long for a margin"])
    plain, named = (np.asarray(Image.open(tmp_path / f"{name}.png").convert("L")) for name in ("plain", "named"))
    margin = named.shape[1] - plain.shape[1]
    assert 40 < margin < 250
    assert np.array_equal(named[:, margin:], plain)
    step = (len(plain) + 2) // 3
    bright = [(named[row * step : (row + 1) * step - 2, :margin] > 200).any(1) for row in range(3)]
    assert [bool(lines.any()) for lines in bright] == [True, False, True]
    assert abs(bright[0].nonzero()[0].mean() - step / 2) < 5  # at middle height
    tall = torch.zeros(400, 1, 4, 4, dtype=torch.uint8)
    save_sheet(tall, tmp_path / "low.png", 400, 1, ["name"] * 400)
    assert Image.open(tmp_path / "low.png").width == 4  # no room for letters


def test_a_checkerboard_shows_through_where_a_sheet_is_transparent(tmp_path):
    images = torch.full((1, 4, 16, 16), 100, dtype=torch.uint8)
    images[:, 3, :8] = 0
    images[:, 3, 8:] = 255
    seen = opaque(images)
    assert seen.shape == (1, 3, 16, 16)
    assert (seen[:, :, 8:] == 100).all()
    assert seen[0, 0, :2, :4].tolist() == [[204, 204, 153, 153]] * 2
    assert seen[0, 0, 2, :4].tolist() == [153, 153, 204, 204]
    half = torch.tensor([[[0]], [[51]]], dtype=torch.uint8)  # grey with alpha 0.2
    assert opaque(half).tolist() == [[[round(0.8 * 204)]]]
    save_sheet(images, tmp_path / "sheet.png", 1, 1)
    assert Image.open(tmp_path / "sheet.png").mode == "RGB"
    save_animation(images[:, None], tmp_path / "sheet.gif", 1, 1)
    assert np.ptp(np.asarray(Image.open(tmp_path / "sheet.gif").convert("L"))[:20, :100]) > 30
