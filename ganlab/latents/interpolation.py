"""Ways from one point to the next: great circles through z, straight lines through w."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from ganlab.errors import UserError
from ganlab.evaluation.trained_generator import TrainedGenerator
from ganlab.latents.references import Given
from ganlab.latents.space import Points, Space, SpaceName
from ganlab.latents.strip import Strip

PathName = Literal["circle", "line"]
_PARALLEL = 1e-6  # below this sine of the angle, circle and line are the same to rounding


def interpolate(
    generator: TrainedGenerator,
    ways: Sequence[Given],
    *,
    steps: int = 8,
    space: SpaceName | None = None,
    path: PathName | None = None,
    label: str | None = None,
    loop: bool = False,
    noise_seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Strip:
    """Images along ways through points, a row for each way; `steps` from a point to the next, the last point included.

    A way lists references, as in `1,5,9` or `3:0,3:7`. It follows great circles in z, along which latents are as long
    as latents are, and straight lines in w; `path` decides otherwise. Between classes, z takes shares of both, where
    the generator can. `loop` returns to the first point, which then is not shown a second time. Raises `UserError` for
    ways that do not fit together.
    """
    if isinstance(ways, str):
        raise UserError(f"'ways' is a list with a row of the strip for each item: give ['{ways}'], not '{ways}'")
    room = Space(generator, space, options, noise_seed)
    stations = [room.at(way, label) for way in ways]
    if len({len(points) for points in stations}) > 1:
        raise UserError("all ways need equally many points, so that their images stand below each other")
    if len(stations[0]) < 2:
        raise UserError("a way leads through two points at least, as in 1,5")
    curve: PathName = path or ("line" if room.name == "w" else "circle")
    rows = [room.images(along(room, points, steps, curve, loop)) for points in stations]
    titles = _titles(stations[0].names, steps, loop) if len(stations) == 1 else []
    return Strip(torch.stack(rows), [" - ".join(points.names) for points in stations] if len(rows) > 1 else [], titles)


def along(space: Space, stations: Points, steps: int, path: PathName, loop: bool = False) -> Points:
    """The points of a way through stations, see `interpolate`."""
    order = [*range(len(stations)), *([0] if loop else [])]
    shares = torch.arange(steps, dtype=torch.get_default_dtype()) / steps
    values = [_between(stations.values[a], stations.values[b], shares, path) for a, b in pairwise(order)]
    labels = _labels_along(space, stations.labels, order, shares)
    if not loop:
        values.append(stations.values[-1:])
    return Points(torch.cat(values), labels)


def great_circle(start: Tensor, end: Tensor, share: float | Tensor) -> Tensor:
    """The point at a share of the way from `start` to `end` around the origin, of vectors of any shape.

    (sin((1 - t) a) x + sin(t a) y) / sin(a) for the angle a between x and y (Shoemake, 1985; for latents White, 2016);
    the line, where both point the same way or opposite ways.
    """
    x, y = start.double().flatten(), end.double().flatten()
    cosine = (x @ y / (x.norm() * y.norm()).clamp_min(torch.finfo(x.dtype).tiny)).clamp(-1, 1)
    angle = torch.acos(cosine)
    t = torch.as_tensor(share, dtype=x.dtype, device=x.device)
    if torch.sin(angle) < _PARALLEL:
        point = torch.lerp(x, y, t)
    else:
        point = (torch.sin((1 - t) * angle) * x + torch.sin(t * angle) * y) / torch.sin(angle)
    return point.view(start.shape).to(start.dtype)


def _between(start: Tensor, end: Tensor, shares: Tensor, path: PathName) -> Tensor:
    if path == "circle":
        return torch.stack([great_circle(start, end, share) for share in shares])
    return torch.stack([torch.lerp(start, end, float(share)) for share in shares])


def _labels_along(space: Space, labels: Tensor | None, order: Sequence[int], shares: Tensor) -> Tensor | None:
    """Class numbers where all stations have one class, else shares of the classes."""
    if labels is None:
        return None
    count = len(shares) * (len(order) - 1) + (len(order) == len(labels))
    if labels.dim() == 1 and (labels == labels[0]).all():
        return labels[:1].expand(count)
    weights = space.shares(labels)
    parts = [
        torch.lerp(weights[a], weights[b], share[None]) for a, b in pairwise(order) for share in shares.to(weights)
    ]
    return torch.stack([*parts, weights[order[-1]]][:count])


def _titles(names: Sequence[str], steps: int, loop: bool) -> list[str]:
    """Names above the stations."""
    titles = [title for name in names for title in (name, *[""] * (steps - 1))]
    return titles if loop else titles[: (len(names) - 1) * steps + 1]
