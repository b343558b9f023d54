"""Pictures of data: grids of images, sheets that people can read, and scatter plots of points, written as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganlab.files import write_atomically

_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_GAP = 2  # pixels between the cells of a sheet
_GAP_COLOUR = 96
_SHEET = 1000  # pixels that the longer side of a sheet is enlarged to, about
_ANIMATION = 500
_LONGEST_NAME = 24
_LARGEST_TEXT, _SMALLEST_TEXT = 16, 7  # pixels
_LIGHT, _DARK = 204, 153  # of the checkerboard behind transparency
_16_TO_8_BITS = 257  # 65535 = 255 * 257


def save_grid(images: Tensor, path: str | Path, rows: int, columns: int, gap: int = 0) -> None:
    """Write images (N, C, H, W), uint8 or uint16, as one PNG of `rows` x `columns`, row by row, `gap` pixels apart.

    The frames of sequences (N, T, C, H, W) lie one after the other. uint16 is shown in 8 bits; of more than 4 channels
    the first three are shown as red, green and blue. Images beyond the last place are left out, places without an image
    stay black.
    """
    picture = _sheet(images.flatten(0, -4), rows, columns, gap)
    write_atomically(Path(path), lambda temporary: picture.save(temporary, format="PNG"))


def save_sheet(
    images: Tensor,
    path: str | Path,
    rows: int,
    columns: int,
    names: Sequence[str] = (),
    titles: Sequence[str] = (),
) -> None:
    """Write images (N, C, H, W), uint8 or uint16, as one PNG for people to look at, row by row.

    Small images are enlarged by a whole factor to about 1,000 pixels altogether, a checkerboard shows through where
    they are transparent, `names` stand at the left of the rows and `titles` above the columns.
    """
    factor = _factor(images, rows, columns, _SHEET)
    sheet = _sheet(_enlarged(opaque(images[: rows * columns]), factor), rows, columns, _GAP)
    picture = _with_titles(_with_names(sheet, rows, names), sheet.width, titles)
    write_atomically(Path(path), lambda temporary: picture.save(temporary, format="PNG"))


def save_animation(sequences: Tensor, path: str | Path, rows: int, columns: int, fps: int = 8) -> None:
    """Write sequences (N, T, C, H, W), uint8 or uint16, as one GIF without end, `fps` frames a second.

    They lie as images do in `save_sheet`, enlarged to about 500 pixels, and move together.
    """
    first, *others = animation_frames(sequences, rows, columns)
    options: dict[str, Any] = {"save_all": True, "append_images": others, "duration": 1000 // fps, "loop": 0}
    write_atomically(Path(path), lambda temporary: first.save(temporary, format="GIF", **options))


def animation_frames(sequences: Tensor, rows: int, columns: int) -> list[Image.Image]:
    """The frames, in RGB, of sequences (N, T, C, H, W) that lie as images do in `save_sheet`."""
    factor = _factor(sequences, rows, columns, _ANIMATION)
    frames = (_enlarged(opaque(frame), factor) for frame in sequences.unbind(1))
    return [_sheet(frame, rows, columns, _GAP).convert("RGB") for frame in frames]


def opaque(images: Tensor) -> Tensor:
    """Images (..., C, H, W) in front of a checkerboard, as bytes of 1 or 3 channels; those without alpha as they are.

    2 and 4 channels are grey and RGB with alpha; of more, the first three are shown.
    """
    images = _in_bytes(images)
    channels = images.shape[-3]
    if channels not in (2, 4):
        return images if channels in (1, 3) else images[..., :3, :, :]
    height, width = images.shape[-2:]
    square = max(1, min(height, width) // 8)
    dark = (torch.arange(height)[:, None] // square + torch.arange(width) // square) % 2 == 1
    behind = torch.where(dark, _DARK, _LIGHT).to(images.device).float()
    alpha = images[..., -1:, :, :].float() / 255
    return (images[..., :-1, :, :].float() * alpha + behind * (1 - alpha)).round().to(torch.uint8)


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


def _factor(images: Tensor, rows: int, columns: int, size: int) -> int:
    """How many times images are enlarged so that the longer side of a sheet comes to about `size`."""
    return max(1, round(size / max(rows * images.shape[-2], columns * images.shape[-1])))


def _enlarged(images: Tensor, factor: int) -> Tensor:
    return images.repeat_interleave(factor, -2).repeat_interleave(factor, -1)


def _with_names(sheet: Image.Image, rows: int, names: Sequence[str]) -> Image.Image:
    """The sheet with a margin in which a name stands beside each row, unless the rows are too low for letters."""
    step = (sheet.height + _GAP) / rows
    if not names or step < _SMALLEST_TEXT:
        return sheet
    font = ImageFont.load_default(min(_LARGEST_TEXT, int(step * 0.8)))
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 2]}.." for name in names]
    margin = round(max(font.getlength(name) for name in shown)) + 12
    whole = Image.new("RGB", (margin + sheet.width, sheet.height), (_GAP_COLOUR,) * 3)
    whole.paste(sheet, (margin, 0))
    draw = ImageDraw.Draw(whole)
    for row, name in enumerate(shown):
        draw.text((margin - 6, (row + 0.5) * step - _GAP / 2), name, (255, 255, 255), font, anchor="rm")
    return whole


def _with_titles(picture: Image.Image, width: int, titles: Sequence[str]) -> Image.Image:
    """The picture with a line on top in which a title stands above each column of the sheet at its right."""
    if not titles:
        return picture
    step = (width + _GAP) / len(titles)
    widest = step - _GAP
    size, font = _largest_font(titles, widest)
    shown = [_shortened(title, font, widest) for title in titles]
    line = size + 8
    whole = Image.new("RGB", (picture.width, line + picture.height), (_GAP_COLOUR,) * 3)
    whole.paste(picture, (0, line))
    draw = ImageDraw.Draw(whole)
    for column, title in enumerate(shown):
        middle = picture.width - width + (column + 0.5) * step - _GAP / 2
        draw.text((middle, line / 2), title, (255, 255, 255), font, anchor="mm")
    return whole


def _largest_font(texts: Sequence[str], width: float) -> tuple[int, Any]:
    """The size, and the font, in which all texts fit into a width, or the smallest."""
    for size in range(_LARGEST_TEXT, _SMALLEST_TEXT, -1):
        font = ImageFont.load_default(size)
        if max(map(font.getlength, texts)) <= width:
            break
    return size, font


def _shortened(text: str, font: Any, width: float) -> str:
    """The text, or so many of its letters and two dots that they fit into a width."""
    if font.getlength(text) <= width:
        return text
    fitting = (f"{text[:count]}.." for count in range(len(text), 0, -1))
    return next((short for short in fitting if font.getlength(short) <= width), text[:1])


def _as_bytes(images: Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """(N, C, H, W) as bytes (N, H, W, C) with 1 to 4 channels."""
    pixels = _in_bytes(images).detach().cpu().numpy()
    shown = pixels.shape[1] if pixels.shape[1] in _MODES else 3
    return pixels[:, :shown].transpose(0, 2, 3, 1)


def _in_bytes(images: Tensor) -> Tensor:
    assert images.dtype in (torch.uint8, torch.uint16), images.dtype
    if images.dtype == torch.uint8:
        return images
    return (images.to(torch.float32) / _16_TO_8_BITS).round().to(torch.uint8)


def _plane(points: Tensor) -> tuple[Any, Any]:
    numbers = points.detach().cpu().float().numpy()
    return numbers[:, 0], numbers[:, 1]
