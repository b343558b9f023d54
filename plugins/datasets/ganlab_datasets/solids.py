"""Solids made of convex pieces, and their pictures: rays through the half-spaces of their faces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
_ROUND = 20  # sides of what is meant to be round


@dataclass(frozen=True)
class Solid:
    """The union of convex pieces, each the points p with `normals @ p <= bounds`, normals having length 1.

    Attributes:
        normals: (pieces, faces, 3); x points to the right, y up, z to the viewer of a pose without angles.
        bounds: (pieces, faces).
        sides: (pieces, faces), the number of the colour of each face.
    """

    normals: Array
    bounds: Array
    sides: Array


def rotations(azimuth: Array, elevation: Array) -> Array:
    """Matrices (N, 3, 3) for angles (N,) in radians: the front turns to the right, then the top to the viewer."""
    zeros, ones = np.zeros_like(azimuth), np.ones_like(azimuth)
    sine, cosine = np.sin(azimuth), np.cos(azimuth)
    around_y = np.stack([cosine, zeros, sine, zeros, ones, zeros, -sine, zeros, cosine], 1).reshape(-1, 3, 3)
    sine, cosine = np.sin(elevation), np.cos(elevation)
    around_x = np.stack([ones, zeros, zeros, zeros, cosine, -sine, zeros, sine, cosine], 1).reshape(-1, 3, 3)
    return around_x @ around_y


def rendered(solid: Solid, turns: Array, colours: Array, ground: Array, light: Array, pixels: int) -> Array:
    """Pictures (N, pixels, pixels, 3) in [0, 1] of a solid in N poses, seen along parallel rays.

    Args:
        solid: what is seen, in [-1, 1]^3; the picture shows as much.
        turns: (N, 3, 3), a rotation times a size.
        colours: (N, colours, 3) of the faces.
        ground: colour (3,) of what is behind.
        light: direction (3,) that the light comes from, of length 1.
        pixels: of each side; no ray is averaged with others.
    """
    size = np.linalg.norm(turns[:, :, 0], axis=1)
    normals = np.einsum("nij,pfj->npfi", turns / size[:, None, None], solid.normals).astype(np.float32)
    bounds = (size[:, None, None] * solid.bounds).astype(np.float32)
    near, face = _first_faces(normals, bounds, pixels)
    row = np.arange(len(turns))[:, None]
    piece = near.argmax(1)  # of each ray
    depth = np.take_along_axis(near, piece[:, None], 1)[:, 0]
    seen = np.take_along_axis(face, piece[:, None], 1)[:, 0]
    shade = 0.35 + 0.65 * np.clip(normals[row, piece, seen] @ light.astype(np.float32), 0, 1)
    lit = colours.astype(np.float32)[row, solid.sides[piece, seen]] * shade[..., None]
    picture = np.where(np.isfinite(depth)[..., None], lit, ground.astype(np.float32))
    return picture.reshape(len(turns), pixels, pixels, 3)


def _first_faces(normals: Array, bounds: Array, pixels: int) -> tuple[Array, Array]:
    """How near each ray meets each piece (N, pieces, rays), -inf for one that passes, and the face it meets.

    A ray leaves (x, y, z) towards smaller z: it is inside of a face's half-space below or above one z, as the face
    looks to the viewer or away.
    """
    middle = ((np.arange(pixels, dtype=np.float32) + 0.5) * 2 / pixels - 1).astype(np.float32)
    x, y = np.tile(middle, pixels), np.repeat(-middle, pixels)
    shape = (*bounds.shape[:2], pixels * pixels)
    enters, leaves = np.full(shape, np.inf, np.float32), np.full(shape, -np.inf, np.float32)
    met = np.zeros(shape, np.int64)
    for number in range(bounds.shape[2]):
        normal, bound = normals[:, :, number, :, None], bounds[:, :, number, None]
        towards = np.where(np.abs(normal[:, :, 2]) < 1e-6, np.float32(1e-6), normal[:, :, 2])
        z = (bound - normal[:, :, 0] * x - normal[:, :, 1] * y) / towards
        front = towards > 0
        nearer = front & (z < enters)
        enters, met = np.where(nearer, z, enters), np.where(nearer, number, met)
        leaves = np.where(~front & (z > leaves), z, leaves)
    return np.where(enters > leaves, enters, -np.inf), met


def box(low: Sequence[float], high: Sequence[float]) -> tuple[Array, Array, Array]:
    """A cuboid between two corners: normals, bounds, and colours by side, front 0, right 1, back 2, left 3, top 4."""
    normals = np.array([[0, 0, 1], [1, 0, 0], [0, 0, -1], [-1, 0, 0], [0, 1, 0], [0, -1, 0]], np.float64)
    bounds = np.array([high[2], high[0], -low[2], -low[0], high[1], -low[1]])
    return normals, bounds, np.array([0, 1, 2, 3, 4, 4])


def tapered(sides: int, radius: float, height: float, taper: float) -> tuple[Array, Array, Array]:
    """An upright prism of so many sides, whose upper end is `1 - taper` times as wide as the lower one.

    Faces have the colour of the quarter of the circle that they look to.
    """
    angles = np.arange(sides) * 2 * math.pi / sides
    slope = taper * radius / (2 * height)
    around = np.stack([np.sin(angles), np.full(sides, slope), np.cos(angles)], 1) / math.hypot(1, slope)
    ends = np.array([[0, 1, 0], [0, -1, 0]], np.float64)
    middle = radius * (1 - taper / 2) / math.hypot(1, slope)  # of the sides' distance from the axis, half way up
    bounds = np.concatenate([np.full(sides, middle), [height, height]])
    quarter = np.round(angles / (math.pi / 2)).astype(int) % 4
    return np.concatenate([around, ends]), bounds, np.concatenate([quarter, [4, 4]])


def _solid(*pieces: tuple[Array, Array, Array]) -> Solid:
    normals, bounds, sides = zip(*pieces, strict=True)
    return Solid(np.stack(normals), np.stack(bounds), np.stack(sides))


SOLIDS: Mapping[str, Solid] = {
    "cube": _solid(box((-0.5, -0.5, -0.5), (0.5, 0.5, 0.5))),
    "pyramid": _solid(tapered(4, 0.55, 0.55, 1.0)),
    "cylinder": _solid(tapered(_ROUND, 0.5, 0.55, 0.0)),
    "cone": _solid(tapered(_ROUND, 0.65, 0.55, 1.0)),
    # Long to the right, with a tower at its left end: no turn but the whole one makes it look the same.
    "l_shape": _solid(box((-0.6, -0.5, -0.3), (0.6, 0.0, 0.3)), box((-0.6, 0.0, -0.3), (-0.1, 0.6, 0.3))),
}
"""What there is, by name."""
