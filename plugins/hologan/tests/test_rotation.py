"""Volumes that are turned, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.ndimage
import torch
from ganlab_hologan.rotation import rotation, turned
from scipy.spatial.transform import Rotation

SIDE = 9
VOLUME = np.random.default_rng(0).standard_normal((2, SIDE, SIDE, SIDE))


def turn(volume, azimuth=0.0, elevation=0.0, scale=1.0):
    poses = torch.tensor([[azimuth, elevation, scale]], dtype=torch.float64)
    return turned(torch.from_numpy(volume)[None], poses)[0].numpy()


def test_rotations_are_scipys():
    azimuth, elevation = torch.tensor([[0.3, -2.0], [0.5, -0.1]], dtype=torch.float64)
    expected = Rotation.from_euler("yx", torch.stack([azimuth, elevation], 1).numpy()).as_matrix()
    np.testing.assert_allclose(rotation(azimuth, elevation).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("angle", [30.0, -77.0, 180.0])
@pytest.mark.parametrize(("name", "axes"), [("azimuth", (1, 3)), ("elevation", (2, 1))])
def test_one_angle_is_scipys_rotation(name, axes, angle):
    """Trilinear, 0 outside; scipy turns the other way."""
    expected = scipy.ndimage.rotate(VOLUME, -angle, axes, reshape=False, order=1, mode="grid-constant")
    np.testing.assert_allclose(turn(VOLUME, **{name: angle}), expected, atol=1e-9)


def test_a_pose_is_scipys_affine_transform():
    """In the coordinates of voxels: depth against z, height against y, width along x."""
    matrix = Rotation.from_euler("yx", np.radians([40.0, 25.0])).as_matrix()
    to_voxels = np.array([[0, 0, -1.0], [0, -1, 0], [1, 0, 0]])
    source = np.linalg.inv(to_voxels @ (1.3 * matrix) @ to_voxels.T)
    middle = np.full(3, (SIDE - 1) / 2)
    expected = [
        scipy.ndimage.affine_transform(part, source, middle - source @ middle, order=1, mode="grid-constant")
        for part in VOLUME
    ]
    np.testing.assert_allclose(turn(VOLUME, 40.0, 25.0, 1.3), np.stack(expected), atol=1e-9)


def test_no_pose_changes_nothing():
    np.testing.assert_allclose(turn(VOLUME), VOLUME, atol=1e-12)


@pytest.mark.parametrize(
    ("pose", "place"),
    [
        ((90, 0, 1), (4, 4, 8)),  # the front to the right
        ((0, 90, 1), (4, 8, 4)),  # and down, where the top comes to the front
        ((90, 90, 1), (4, 4, 8)),
        ((0, 0, 0.5), (2, 4, 4)),
    ],
)
def test_where_the_front_goes(pose, place):
    volume = np.zeros((1, SIDE, SIDE, SIDE))
    volume[0, 0, 4, 4] = 1  # the nearest voxel
    assert np.unravel_index(turn(volume, *pose)[0].argmax(), volume.shape[1:]) == place


def test_gradients_pass_to_the_volume():
    volume = torch.randn(1, 1, 3, 3, 3, dtype=torch.float64, requires_grad=True)
    poses = torch.tensor([[20.0, 10.0, 0.9]], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda cube: turned(cube, poses), (volume,))
