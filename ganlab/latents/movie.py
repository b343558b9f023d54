"""Films of images that change: GIF, or MP4 where PyAV is installed."""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from ganlab.data.film import FilmKind as MovieKind
from ganlab.data.film import check_film as check_movie
from ganlab.data.film import save_film
from ganlab.data.scaling import to_bytes

__all__ = ["MovieKind", "check_movie", "save_movie"]


def save_movie(images: Tensor, path: Path, fps: int = 24) -> None:
    """Write images (N, T, C, H, W) in [-1, 1] as a film of N rows that move together; the suffix says which kind.

    Equal images give equal bytes with the same versions of the libraries. Raises `UserError` for an MP4 without PyAV.
    """
    save_film(to_bytes(images).cpu(), path, fps)
