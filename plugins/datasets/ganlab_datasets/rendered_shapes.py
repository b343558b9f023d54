"""Pictures of small solids in random poses, which are known and not shown to the training."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor

from ganlab.bounds import Seed
from ganlab.contracts import DataFacts
from ganlab.errors import DataError
from ganlab_datasets.solids import SOLIDS, rendered, rotations

Angle = Annotated[float, Ge(-360), Le(360)]
SolidName = Literal["cube", "pyramid", "cylinder", "cone", "l_shape"]

_VERSION = 1  # of the pictures, which a change of the renderer changes
_RAYS = 2  # of a pixel, along each side
_LIGHT = np.array([0.4, 0.6, 0.7]) / math.sqrt(0.4**2 + 0.6**2 + 0.7**2)
_GROUND = np.array([0.08, 0.08, 0.10])
_SIDES = np.array([[0.9, 0.25, 0.2], [0.95, 0.8, 0.2], [0.2, 0.65, 0.3], [0.2, 0.4, 0.9], [0.85, 0.85, 0.85]])


class RenderedShapes:
    """Solids of random colour, size and pose, ray-cast with shading; three channels in bytes, without labels.

    An example is a function of its index, of the seed and of the options, and is drawn when it is read. `poses` are the
    poses (size, 3) of all examples, azimuth and elevation in degrees and scale: the training does not see them, and
    what it has found out about them can be measured. At the azimuth 0 the front looks to the viewer; it turns to the
    right.

    Args:
        resolution: side of an image.
        size: examples.
        solids: the solids that there are.
        colours: one random colour for each `object`, so that only its form tells its azimuth; or a colour of their own
            for the `sides`, front red, right yellow, back green, left blue, shifted a little from object to object.
        azimuth: lowest and highest angle around the vertical axis, in degrees.
        elevation: the same above the horizon.
        scale: smallest and largest size.
        seed: seed of all that is random.
    """

    example: ClassVar[Mapping[str, Any]] = {"resolution": 16, "size": 48}

    def __init__(
        self,
        resolution: Annotated[int, Ge(4), Le(1024)] = 64,
        size: Annotated[int, Ge(1), Le(10_000_000)] = 20_000,
        solids: Sequence[SolidName] = ("cube", "pyramid", "cylinder", "cone", "l_shape"),
        colours: Literal["object", "sides"] = "sides",
        azimuth: tuple[Angle, Angle] = (-180.0, 180.0),
        elevation: tuple[Angle, Angle] = (10.0, 40.0),
        scale: tuple[Annotated[float, Gt(0), Le(1)], Annotated[float, Gt(0), Le(1)]] = (0.9, 1.0),
        seed: Seed = 0,
    ) -> None:
        ranges = {"azimuth": azimuth, "elevation": elevation, "scale": scale}
        _check(solids, ranges)
        self.resolution = resolution
        self.solids = tuple(solids)
        self.colours = colours
        chance = np.random.default_rng(seed)
        low, high = np.array(list(ranges.values())).T
        self.poses = torch.from_numpy(low + (high - low) * chance.random((size, 3)))
        self._kinds = chance.integers(len(solids), size=size)
        self._tints = chance.random((size, 3))
        told = (_VERSION, resolution, size, self.solids, colours, sorted(ranges.items()), seed)
        self.facts = DataFacts(
            shape=(3, resolution, resolution),
            size=size,
            fingerprint=hashlib.blake2b(f"rendered_shapes {told}".encode(), digest_size=16).hexdigest(),
        )

    def __len__(self) -> int:
        return self.facts.size

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"images": self.take([index])["images"][0]}

    def take(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Many examples at once."""
        rows = np.asarray(indices)
        images = np.empty((len(rows), self.resolution, self.resolution, 3), np.uint8)
        for number, name in enumerate(self.solids):
            places = np.flatnonzero(self._kinds[rows] == number)
            if len(places):
                images[places] = self._pictures(name, rows[places])
        return {"images": torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()}

    def _pictures(self, name: str, rows: np.ndarray) -> np.ndarray:
        azimuth, elevation, scale = self.poses[torch.from_numpy(rows)].numpy().T
        turns = rotations(np.radians(azimuth), np.radians(elevation)) * scale[:, None, None]
        colours = self._colours(rows)
        fine = rendered(SOLIDS[name], turns, colours, _GROUND, _LIGHT, self.resolution * _RAYS)
        pixels = fine.reshape(len(rows), self.resolution, _RAYS, self.resolution, _RAYS, 3).mean((2, 4))
        return (pixels * 255 + 0.5).astype(np.uint8)

    def _colours(self, rows: np.ndarray) -> np.ndarray:
        """Colours (N, 5, 3) of the sides of objects."""
        tints = self._tints[rows]
        if self.colours == "object":
            return np.repeat((0.25 + 0.75 * tints)[:, None], len(_SIDES), axis=1)
        return np.clip(_SIDES * (0.7 + 0.6 * tints[:, None]), 0, 1)


def _check(solids: Sequence[str], ranges: dict[str, tuple[float, float]]) -> None:
    if not solids:
        raise DataError(f"'solids' of rendered_shapes names one or more of {', '.join(SOLIDS)}")
    for name, (low, high) in ranges.items():
        if low > high:
            raise DataError(
                f"'{name}' of rendered_shapes is the lowest and the highest one: [{high:g}, {low:g}], not "
                f"[{low:g}, {high:g}]"
            )
