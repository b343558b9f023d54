"""Sample grids for a page: as many, and as large, as its size allows."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from ganlab.studies.record import RunRecord
from ganlab.training.clock import labelled_images

MOST = 40  # grids of one run
_WIDTHS = (720, 560, 420, 300, 200)  # pixels
_QUALITY = 80
_TRIED = 3  # pictures by which the others are judged


def pictures_of(records: Sequence[RunRecord], budget: int) -> list[dict[str, Any]]:
    """For each run `samples`, a list of `kimg` and `src`, and `reals`; together about `budget` bytes at most."""
    grids = [spread(sample_grids(record), MOST) for record in records]
    paths = [path for run in grids for _, path in run] + [record.path / "samples" / "reals.png" for record in records]
    width = _width_for(paths, budget)
    return [
        {
            "samples": [{"kimg": images / 1000, "src": src} for images, path in run if (src := _source(path, width))],
            "reals": _source(record.path / "samples" / "reals.png", width),
        }
        for record, run in zip(records, grids, strict=True)
    ]


def sample_grids(record: RunRecord) -> list[tuple[int, Path]]:
    """The pictures of a run's samples with their moments in images, oldest first."""
    return sorted((labelled_images(path.name), path) for path in (record.path / "samples").glob("kimg-*.png"))


def spread(grids: Sequence[tuple[int, Path]], most: int) -> list[tuple[int, Path]]:
    """At most so many, evenly over the list, with the first and the last."""
    if len(grids) <= most:
        return list(grids)
    return [grids[round(place * (len(grids) - 1) / (most - 1))] for place in range(most)]


def _width_for(paths: Sequence[Path], budget: int) -> int:
    """The largest width at which all pictures together should fit."""
    tried = [paths[place * (len(paths) - 1) // max(_TRIED - 1, 1)] for place in range(_TRIED)] if paths else []
    for width in _WIDTHS:
        sizes = [len(_source(path, width) or "") for path in tried]
        if not sizes or max(sizes) * len(paths) <= budget:
            return width
    return _WIDTHS[-1]


def _source(path: Path, width: int) -> str | None:
    """A picture as the address of itself; None where there is none that can be read."""
    try:
        return _encoded(path, path.stat().st_mtime_ns, width)
    except (OSError, UnidentifiedImageError):
        return None


@lru_cache(maxsize=1024)
def _encoded(path: Path, changed: int, width: int) -> str:
    with Image.open(path) as picture:
        pixels = picture.convert("RGB")
    if pixels.width > width:
        pixels = pixels.resize((width, max(1, round(pixels.height * width / pixels.width))), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    pixels.save(out, "WEBP", quality=_QUALITY)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"
