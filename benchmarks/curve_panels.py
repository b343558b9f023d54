"""Panels of a picture that shows a training: curves of its log and metrics, and its newest grid of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from PIL import Image

from ganlab.studies.curves import Curve, curves_of
from ganlab.tracking.jsonl import read_records

matplotlib.use("Agg")
from matplotlib import pyplot

POINTS = 60  # of a curve
FEW = 15  # points that are marked, since there are so few
COLOURS = (256, 128, 64, 32)
LIMIT = 60_000  # bytes of a picture


def curves_of_run(run: Path) -> dict[str, Curve]:
    """All scalars of a run's log and of its metrics over kimg."""
    return {
        name: curve
        for file in ("log.jsonl", "metrics.jsonl")
        for name, curve in curves_of(read_records(run / file), POINTS).items()
    }


def plot(place: Any, curves: Mapping[str, Curve], names: Sequence[str], pale: bool = False) -> None:
    """Draw curves into one panel; pale ones stand behind others of the same colours and are in no legend.

    Raises `ValueError` for a name that the run has not logged.
    """
    for number, name in enumerate(names):
        if name not in curves:
            raise ValueError(f"the run has no '{name}'; there are {', '.join(sorted(curves))}")
        xs, ys = curves[name]
        values = [float("nan") if y is None else y for y in ys]
        style: dict[str, Any] = {"alpha": 0.3, "linewidth": 3} if pale else {"label": name}
        marker = "." if len(xs) <= FEW else None
        place.plot(xs, values, color=f"C{number}", marker=marker, **style)
    place.set_xlabel("kimg", fontsize=8)
    place.tick_params(labelsize=7)
    if not pale:
        place.legend(fontsize=6)


def show_samples(place: Any, run: Path) -> None:
    """Put the newest grid of samples into one panel."""
    place.imshow(np.asarray(newest_samples(run)))
    place.axis("off")


def newest_samples(run: Path) -> Image.Image:
    """The newest grid of samples of a run."""
    return Image.open(run / "samples/latest.png").convert("RGB")


def save_small(figure: Any, path: Path, limit: int = LIMIT) -> None:
    """Write a figure as a PNG with a palette, of as many colours as fit into so many bytes, and close it.

    Raises `ValueError` where even the smallest palette makes too large a file.
    """
    drawn = BytesIO()
    figure.savefig(drawn, dpi=90)
    pyplot.close(figure)
    picture = Image.open(drawn).convert("RGB")
    for colours in COLOURS:
        file = BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        if file.tell() <= limit:
            path.write_bytes(file.getvalue())
            return
    raise ValueError(f"{path.name} has {file.tell()} bytes with {COLOURS[-1]} colours, at most {limit} are allowed")
