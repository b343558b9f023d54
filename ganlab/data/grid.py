"""Pictures of data: grids of images and scatter plots of points, written as PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganlab.files import write_atomically

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_GAP_COLOUR = 96
_16_TO_8_BITS = 257  # 65535 = 255 * 257


def save_grid(images: Tensor, path: str | Path, rows: int, columns: int, gap: int = 0) -> None:
    """Write images (N, C, H, W), uint8 or uint16, as one PNG of `rows` x `columns`, row by row, `gap` pixels apart.

    The frames of sequences (N, T, C, H, W) lie one after the other. uint16 is shown in 8 bits; of more than 4 channels
    the first three are shown as red, green and blue. Images beyond the last place are left out, places without an image
    stay black.
    """
    picture = _sheet(images.flatten(0, -4), rows, columns, gap)
    write_atomically(Path(path), lambda temporary: picture.save(temporary, format="PNG"))


def save_animation(sequences: Tensor, path: str | Path, rows: int, columns: int, gap: int = 0, fps: int = 8) -> None:
    """Write sequences (N, T, C, H, W), uint8 or uint16, as one GIF without end, `fps` frames a second.

    They lie as images do in `save_grid` and move together; transparency is left out.
    """
    count = sequences.shape[1]
    first, *others = (_sheet(sequences[:, frame], rows, columns, gap).convert("RGB") for frame in range(count))
    options: dict[str, Any] = {"save_all": True, "append_images": others, "duration": 1000 // fps, "loop": 0}
    write_atomically(Path(path), lambda temporary: first.save(temporary, format="GIF", **options))


def save_scatter(points: Tensor, path: str | Path, reference: Tensor | None = None) -> None:
    """Write points of the plane (N, 2) as a scatter plot, over `reference` points in grey if given.

    Of vectors with more dimensions the first two are shown.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(aspect="equal")
    if reference is not None:
        axes.scatter(*_plane(reference), s=4, color="0.7", label="real", linewidths=0)
    axes.scatter(*_plane(points), s=4, color="tab:blue", label="points" if reference is None else "fake", linewidths=0)
    if reference is not None:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False)  # above, where it covers nothing
    write_atomically(Path(path), lambda temporary: figure.savefig(temporary, format="png"))


def _sheet(images: Tensor, rows: int, columns: int, gap: int) -> Image.Image:
    pixels = _as_bytes(images[: rows * columns])
    count, height, width, channels = pixels.shape
    cells = np.full((rows * columns, height + gap, width + gap, channels), _GAP_COLOUR, dtype=np.uint8)
    cells[:, :height, :width] = 0
    cells[:count, :height, :width] = pixels
    sheet = cells.reshape(rows, columns, height + gap, width + gap, channels).swapaxes(1, 2)
    sheet = sheet.reshape(rows * (height + gap), columns * (width + gap), channels)
    sheet = sheet[: rows * (height + gap) - gap, : columns * (width + gap) - gap]
    return Image.fromarray(sheet[..., 0] if channels == 1 else sheet, mode=_MODES[channels])


def _as_bytes(images: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(N, C, H, W) as bytes (N, H, W, C) with 1 to 4 channels."""
    assert images.dtype in (torch.uint8, torch.uint16), images.dtype
    pixels = images.detach().cpu().numpy()
    if pixels.dtype == np.uint16:
        pixels = (pixels.astype(np.float32) / _16_TO_8_BITS).round().astype(np.uint8)
    shown = pixels.shape[1] if pixels.shape[1] in _MODES else 3
    return pixels[:, :shown].transpose(0, 2, 3, 1)


def _plane(points: Tensor) -> tuple[Any, Any]:
    numbers = points.detach().cpu().float().numpy()
    return numbers[:, 0], numbers[:, 1]
