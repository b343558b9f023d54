"""Films of images: GIF, or MP4 where PyAV is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from torch import Tensor

from ganlab.data.grid import animation_frames, save_animation
from ganlab.errors import UserError
from ganlab.files import write_atomically

FilmKind = Literal["gif", "mp4"]
_QUALITY = "16"  # of H.264, where 0 loses nothing and 51 most


def save_film(frames: Tensor, path: Path, fps: int = 24) -> None:
    """Write frames (N, T, C, H, W), uint8 or uint16, as a film of N rows that move together.

    The suffix says which kind. Equal frames give equal bytes with the same versions of the libraries. Raises
    `UserError` for an MP4 without PyAV.
    """
    if path.suffix == ".gif":
        save_animation(frames, path, len(frames), 1, fps)
    else:
        check_film("mp4")
        pictures = animation_frames(frames, len(frames), 1)
        write_atomically(path, lambda temporary: _encode(pictures, temporary, fps))


def check_film(kind: FilmKind) -> None:
    """Raise `UserError` if films of this kind cannot be written here."""
    if kind == "mp4":
        _av()


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise UserError(
            "an MP4 needs PyAV, which is not installed: 'pip install av' (the extra 'video' of ganlab), or take gif"
        ) from None
    return av


def _encode(pictures: list[Image.Image], path: Path, fps: int) -> None:
    """H.264 with as many colours as every player takes, of sides that are even."""
    av = _av()
    width, height = (side + side % 2 for side in pictures[0].size)
    with av.open(str(path), "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.thread_count = 1  # or the bytes would depend on the machine
        stream.options = {"crf": _QUALITY, "flags": "+bitexact"}
        for picture in pictures:
            even = Image.new("RGB", (width, height))
            even.paste(picture)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(even), format="rgb24")))
        container.mux(stream.encode())
