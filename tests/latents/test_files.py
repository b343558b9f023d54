"""Films, sheets with titles, curves, and pictures that are read."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.latents.movie import check_movie, save_movie
from ganlab.latents.strip import EMPTY, Strip, with_margins
from ganlab.latents.target import read_target

FILM = torch.linspace(-1, 1, 5).view(1, 5, 1, 1, 1).expand(2, 5, 3, 8, 8)


def test_a_gif_shows_the_frames(tmp_path):
    save_movie(FILM, tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as film:
        assert film.n_frames == 5
        film.seek(4)
        assert np.asarray(film.convert("RGB"))[0, 0].tolist() == [255, 255, 255]


def test_an_mp4_shows_the_frames_and_has_the_same_bytes_again(tmp_path):
    av = pytest.importorskip("av")
    save_movie(FILM, tmp_path / "walk.mp4", fps=10)
    save_movie(FILM, tmp_path / "again.mp4", fps=10)
    assert (tmp_path / "walk.mp4").read_bytes() == (tmp_path / "again.mp4").read_bytes()
    with av.open(str(tmp_path / "walk.mp4")) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        assert film.streams.video[0].average_rate == 10
    assert len(frames) == 5
    greys = [int(frame[2, 2].mean()) for frame in frames]
    assert greys == pytest.approx([0, 64, 128, 191, 255], abs=8)


def test_an_mp4_without_its_library_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    check_movie("gif")
    with pytest.raises(UserError, match="an MP4 needs PyAV, which is not installed"):
        check_movie("mp4")


def test_titles_stand_above_their_columns(tmp_path):
    images = torch.ones(2, 3, 1, 8, 8)
    Strip(images).save(tmp_path / "plain.png")
    Strip(images, ["a", "b"], ["psi 0", "psi 0.5", "a title that is far too long for its column " * 3]).save(
        tmp_path / "titled.png"
    )
    plain, titled = (Image.open(tmp_path / f"{name}.png") for name in ("plain", "titled"))
    line, margin = titled.height - plain.height, titled.width - plain.width
    assert 10 < line < 40
    assert margin > 10
    assert np.array_equal(np.asarray(titled)[line:, margin:, 0], np.asarray(plain))
    above = np.asarray(titled)[:line, margin:, 0]
    third = plain.width // 3
    assert all((above[:, place : place + third] > 200).any() for place in (0, third, 2 * third))


def test_margins_show_what_a_grid_is_made_of():
    grid = with_margins(torch.zeros(2, 3, 1, 4, 4), torch.ones(2, 1, 4, 4), -torch.ones(3, 1, 4, 4))
    assert grid.shape == (3, 4, 1, 4, 4)
    assert torch.allclose(grid[0, 0], torch.tensor(EMPTY))
    assert (grid[1:, 0] == 1).all()
    assert (grid[0, 1:] == -1).all()


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_picture_is_cut_and_scaled_to_the_data(tmp_path, channels, mode):
    pixels = np.zeros((8, 24, 3), dtype=np.uint8)
    pixels[:, 8:16] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    target = read_target(tmp_path / "wide.png", DataFacts((channels, 4, 4), 1, "x"))
    assert target.shape == (1, channels, 4, 4)
    assert (target == 1).all()


def test_grey_pictures_of_16_bits_keep_their_greys(tmp_path):
    Image.fromarray(np.full((4, 4), 32768, dtype=np.uint16)).save(tmp_path / "deep.png")
    target = read_target(tmp_path / "deep.png", DataFacts((1, 4, 4), 1, "x"))
    assert float(target.abs().max()) < 0.01


def test_what_is_no_picture_is_told(tmp_path):
    (tmp_path / "text.png").write_text("no picture")
    for name in ("text.png", "none.png"):
        with pytest.raises(UserError, match="cannot be read as a picture"):
            read_target(tmp_path / name, DataFacts((1, 4, 4), 1, "x"))
    with pytest.raises(UserError, match="images of 6 channels"):
        read_target(tmp_path / "text.png", DataFacts((6, 4, 4), 1, "x"))
