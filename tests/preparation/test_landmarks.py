"""Faces are cut where the papers cut them, whatever their turn and size, and go on beyond the picture's border."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from ganlab.errors import DataError
from ganlab.pictures import Preparation
from ganlab.preparation import prepare_pictures
from ganlab.preparation.landmarks import CELEBA_SIZE, Face, aligned, read_landmarks, square_of
from ganlab.preparation.making import Making, make
from tests.preparation.sources import png, request, tree

FACE = np.array([[-20.0, -10.0], [20.0, -10.0], [0.0, 10.0], [-15.0, 30.0], [15.0, 30.0]])  # about its middle


def placed(turn: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return scale * FACE @ rotation.T + np.array(shift)


def drawn(points: np.ndarray, size=(300, 260), radius=3.0) -> Image.Image:
    """A grey picture with a spot of its own colour at each point."""
    image = Image.new("RGB", size, (90, 90, 90))
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
    for (x, y), colour in zip(points, colours, strict=True):
        ImageDraw.Draw(image).ellipse([x - radius, y - radius, x + radius, y + radius], fill=colour)
    return image


def spot(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    """The middle of the pixels nearest to a colour, as x and y."""
    distance = np.abs(np.asarray(image.convert("RGB")).astype(int) - np.array(colour)).sum(axis=2)
    rows, columns = np.nonzero(distance < 150)
    return np.array([columns.mean(), rows.mean()])


def test_the_square_is_that_of_the_papers_formulas() -> None:
    eyes, mouth = np.array([150.0, 120.0]), np.array([150.0, 160.0])
    centre, right, down = square_of(placed(0.0, 1.0, (150, 130)))
    np.testing.assert_allclose(centre, eyes + 0.1 * (mouth - eyes))
    assert 2 * right[0] == pytest.approx(max(4.0 * 40, 3.6 * 40))
    np.testing.assert_allclose([right[1], down[0], down[1]], [0, 0, right[0]], atol=1e-9)


@pytest.mark.parametrize(
    ("turn", "scale", "shift"), [(0.0, 1, (150, 130)), (0.5, 0.8, (140, 120)), (-1.2, 0.7, (160, 130))]
)
def test_a_turned_face_stands_upright_in_the_same_place(turn: float, scale: float, shift: tuple[float, float]) -> None:
    upright = aligned(drawn(placed(0.0, 1.0, (150, 130))), placed(0.0, 1.0, (150, 130)), "celeba-hq", 64)
    points = placed(turn, scale, shift)
    image = aligned(drawn(points, radius=3.0 * scale), points, "celeba-hq", 64)
    assert image.size == (64, 64)
    for colour in [(255, 0, 0), (0, 255, 0), (255, 255, 0), (0, 255, 255)]:
        np.testing.assert_allclose(spot(image, colour), spot(upright, colour), atol=0.8)


@pytest.mark.parametrize(("turn", "scale"), [(0.0, 1.0), (0.4, 1.3), (-0.7, 3.2)])
def test_celebas_alignment_puts_the_eyes_in_their_places(turn: float, scale: float) -> None:
    points = placed(turn, scale, (450, 400))
    image = aligned(drawn(points, size=(900, 800), radius=4 * scale), points, "celeba", 1)
    assert image.size == CELEBA_SIZE
    np.testing.assert_allclose(spot(image, (255, 0, 0)), [69.5, 111.5], atol=1)
    np.testing.assert_allclose(spot(image, (0, 255, 0)), [107.5, 111.5], atol=1)


def test_beyond_the_border_the_picture_goes_on_mirrored_and_blurred() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (120, 120, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    cut = np.asarray(aligned(image, placed(0.0, 1.0, (20, 60)), "celeba-hq", 160)).astype(float)
    _, right, _ = square_of(placed(0.0, 1.0, (20, 60)))
    outside = int(right[0] - 20)  # columns left of the picture; a pixel of the result is one of the picture's
    assert cut[:, : outside - 20].std() < 0.2 * cut[:, outside + 5 :].std() < 70
    assert abs(cut[:, : outside - 20].mean() - noise.mean()) < 10


def test_prepared_faces_have_the_wanted_size_and_those_without_points_are_left_out(tmp_path) -> None:
    points = placed(0.3, 1.0, (60, 60))
    source = tree(tmp_path / "wild", {f"{index}.png": png(size=(120, 120), seed=index) for index in range(3)})
    lines = [f"{index}.png " + " ".join(f"{number:.1f}" for number in points.ravel()) for index in range(2)]
    (tmp_path / "points.txt").write_text("\n".join(["2", "lefteye_x lefteye_y", *lines]))
    summary = prepare_pictures(
        request(source, out=tmp_path / "faces.zip", shape=(32, 32), landmarks=tmp_path / "points.txt"), workers=1
    )
    assert summary.pictures == 2
    assert [(out.kind, out.reason) for out in summary.left_out] == [
        ("no landmarks", "--landmarks does not name '2.png'")
    ]


@pytest.mark.parametrize(
    "text", ["", "1\nheader\n1.png 1 2 3\n", "1.png a b c d e f g h i j\n", "1\nh\n1.png 1 2 3 4 5 6 7 8 9 nan"]
)
def test_files_that_have_no_points_are_told(tmp_path, text: str) -> None:
    (tmp_path / "points.txt").write_text(text)
    with pytest.raises(DataError, match="ten numbers"):
        read_landmarks(tmp_path / "points.txt")


def test_points_in_one_place_leave_the_picture_out() -> None:
    made = make(Face(png(size=(40, 40)), np.ones((5, 2))), Making(Preparation(3, 8, (16, 16))))
    assert (made.kind, made.reason) == ("unreadable", "the points lie in one place")


def test_a_network_that_enlarges_moves_the_points_with_the_picture(tmp_path) -> None:
    """Twice as large by repeated pixels, and cut by twice as large points: the same face."""
    points = placed(0.2, 0.5, (60, 60))
    source = tree(tmp_path / "wild", {"1.png": png(size=(120, 120))})
    (tmp_path / "points.txt").write_text("1.png " + " ".join(map(str, points.ravel())))
    wanted = {"shape": (16, 16), "landmarks": tmp_path / "points.txt"}
    results = {}
    for name, network in (("plain", None), ("larger", torch.nn.Upsample(scale_factor=2))):
        prepare_pictures(request(source, out=tmp_path / name, **wanted), workers=1, enhance=network)
        results[name] = np.asarray(Image.open(tmp_path / name / "1.png")).astype(float)
    assert np.abs(results["plain"] - results["larger"]).mean() < 0.35 * results["plain"].std()


def test_a_network_that_changes_the_form_is_told(tmp_path) -> None:
    made = make(png(size=(8, 8)), Making(Preparation(3, 8, (4, 4)), enhance=lambda image: image[..., 1:]))
    assert made.kind == "unreadable"
    assert "larger by a whole factor" in made.reason
