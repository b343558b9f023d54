"""Solids in known poses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_datasets.rendered_shapes import RenderedShapes
from ganlab_datasets.solids import SOLIDS, rendered, rotations
from scipy.spatial.transform import Rotation

from ganlab import UserError

LIGHT, GROUND = np.array([0.0, 0.0, 1.0]), np.zeros(3)
COLOURS = np.array([[[1.0, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]])


def picture(name: str, azimuth: float, elevation: float, scale: float = 1.0, pixels: int = 20) -> np.ndarray:
    turn = rotations(np.radians([azimuth]), np.radians([elevation])) * scale
    return rendered(SOLIDS[name], turn, COLOURS, GROUND, LIGHT, pixels)[0]


def test_rotations_are_scipys():
    azimuth, elevation = np.array([0.3, -2.0]), np.array([0.5, -0.1])
    expected = Rotation.from_euler("yx", np.stack([azimuth, elevation], 1)).as_matrix()
    np.testing.assert_allclose(rotations(azimuth, elevation), expected, atol=1e-12)


def test_a_cube_from_the_front_is_a_square_of_its_fronts_colour():
    seen = picture("cube", 0, 0)
    expected = np.zeros((20, 20, 3))
    expected[5:15, 5:15] = COLOURS[0, 0]
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    np.testing.assert_allclose(picture("cube", 0, 0, 0.5)[8:12, 8:12], expected[8:12, 8:12], atol=1e-6)
    assert not picture("cube", 0, 0, 0.5)[:7].any()


@pytest.mark.parametrize(("azimuth", "side"), [(-90, 1), (180, 2), (90, 3)])
def test_the_front_turns_to_the_right(azimuth, side):
    """So that the left side comes to the front at 90 degrees, and the right one at -90."""
    np.testing.assert_allclose(picture("cube", azimuth, 0)[10, 10], COLOURS[0, side], atol=1e-6)


def test_a_cube_has_the_outline_of_its_corners():
    """The rays that hit are those inside of the projection's convex hull, by another algorithm."""
    from scipy.spatial import Delaunay

    turn = rotations(np.radians([25.0]), np.radians([35.0]))[0]
    corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, 8)
    middle = (np.arange(40) + 0.5) / 20 - 1
    rays = np.stack(np.meshgrid(middle, -middle), -1).reshape(-1, 2)
    inside = Delaunay((turn @ corners)[:2].T).find_simplex(rays) >= 0
    np.testing.assert_array_equal(picture("cube", 25, 35, pixels=40).reshape(-1, 3).any(1), inside)


def test_the_nearer_piece_is_seen():
    """From above, the foot of the L is behind its tower on the left only."""
    front = picture("l_shape", 0, 0)
    assert front[6, 6].any()  # the tower
    assert not front[6, 14].any()  # above the foot
    assert front[12, 14].any()  # the foot


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_stay_in_the_picture_however_they_turn(name):
    angles = np.linspace(-180, 180, 13)
    turns = rotations(np.radians(np.repeat(angles, 3)), np.radians(np.tile([-30.0, 10, 40], 13)))
    seen = rendered(SOLIDS[name], turns, np.repeat(COLOURS, 39, 0), GROUND, np.array([0.0, 1, 0]), 16)
    edge = np.concatenate([seen[:, 0], seen[:, -1], seen[:, :, 0], seen[:, :, -1]], 1)
    assert not edge.any()
    assert seen.any((1, 2, 3)).all()


def test_an_example_is_a_function_of_its_index():
    data, again = (RenderedShapes(16, 30) for _ in range(2))
    torch.testing.assert_close(data.take([7, 3])["images"][0], again[7]["images"], atol=0, rtol=0)
    assert data.poses.shape == (30, 3)
    assert ((data.poses[:, 1] >= 10) & (data.poses[:, 1] <= 40)).all()


def test_colours_of_objects_leave_their_form_to_tell_the_azimuth():
    whole = RenderedShapes(16, 8, ["cube"], colours="object", elevation=(0, 0), azimuth=(0, 0), scale=(1, 1))
    turned = RenderedShapes(16, 8, ["cube"], colours="object", elevation=(0, 0), azimuth=(90, 90), scale=(1, 1))
    torch.testing.assert_close(whole[2]["images"], turned[2]["images"])
    of_sides = [
        RenderedShapes(16, 8, ["cube"], elevation=(0, 0), azimuth=(angle, angle), scale=(1, 1))[2]["images"]
        for angle in (0.0, 90.0)
    ]
    assert not torch.equal(*of_sides)


def test_ranges_the_wrong_way_round_are_refused():
    with pytest.raises(
        UserError, match=r"'elevation' of rendered_shapes is the lowest and the highest one: \[10, 40\]"
    ):
        RenderedShapes(elevation=(40, 10))
    with pytest.raises(UserError, match="'solids' of rendered_shapes names one or more of cube, pyramid"):
        RenderedShapes(solids=[])
