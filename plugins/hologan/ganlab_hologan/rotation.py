"""Rigid transforms of volumes of features, with trilinear resampling."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def rotation(azimuth: Tensor, elevation: Tensor) -> Tensor:
    """Matrices (N, 3, 3) that turn points (x, y, z) by angles (N,) in radians.

    x points to the right, y up and z to the viewer. A point is turned by the azimuth around y first, its front to the
    right, and then by the elevation around x, its top to the viewer: the camera seems to rise.
    """
    zeros, ones = torch.zeros_like(azimuth), torch.ones_like(azimuth)
    sine, cosine = azimuth.sin(), azimuth.cos()
    around_y = torch.stack([cosine, zeros, sine, zeros, ones, zeros, -sine, zeros, cosine], dim=1)
    sine, cosine = elevation.sin(), elevation.cos()
    around_x = torch.stack([ones, zeros, zeros, zeros, cosine, -sine, zeros, sine, cosine], dim=1)
    return around_x.view(-1, 3, 3) @ around_y.view(-1, 3, 3)


def turned(volumes: Tensor, poses: Tensor) -> Tensor:
    """Cubes (N, C, depth, height, width) in poses (N, 3): azimuth and elevation in degrees, and scale.

    The depth goes away from the viewer, the height downwards. Volumes turn around their middle and grow by the scale;
    what enters from outside is 0. The authors' code turns around the corner between the middle voxels' centres, half a
    voxel away.
    """
    angles = poses[:, :2].deg2rad()
    turn = rotation(angles[:, 0], angles[:, 1])
    # Where a voxel of the result comes from: the inverse, for coordinates of which two point the other way.
    flip = turn.new_tensor([1.0, -1.0, -1.0])
    source = flip[:, None] * turn.transpose(1, 2) * flip / poses[:, 2, None, None]
    grid = source @ _coordinates(volumes, turn)  # (N, 3, voxels)
    places = grid.transpose(1, 2).view(-1, *volumes.shape[2:], 3)
    exact = volumes if volumes.dtype == torch.float64 else volumes.float()
    result = grid_sample(exact, places.to(exact.dtype), mode="bilinear", padding_mode="zeros", align_corners=True)
    return result.to(volumes.dtype)


def _coordinates(volumes: Tensor, like: Tensor) -> Tensor:
    """(width, height, depth) of each voxel (3, voxels) from -1 to 1."""
    sides = [torch.linspace(-1, 1, side, device=like.device, dtype=like.dtype) for side in volumes.shape[2:]]
    depth, height, width = torch.meshgrid(*sides, indexing="ij")
    return torch.stack([width.flatten(), height.flatten(), depth.flatten()])
