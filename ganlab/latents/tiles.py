"""Images worked on in tiles that overlap, and put together without seams."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganlab.errors import UserError


def in_tiles(size: tuple[int, int], work: Callable[[slice, slice], Tensor], side: int, overlap: int) -> Tensor:
    """What `work` makes of tiles of at most `side` pixels, put together to images (N, C, *size).

    `work` gets the rows and the columns of a tile and returns images (N, C, rows, columns). Where tiles overlap, by
    `overlap` pixels at least, one fades linearly into the next. Raises `UserError` for an overlap that is not below
    half of the side, and for work that returns images of another size.
    """
    if not 0 <= overlap <= side // 2:
        raise UserError(f"tiles of {side} pixels overlap by 0 to {side // 2}, not {overlap}")
    total = weights = None
    for rows in _spans(size[0], side, overlap):
        for columns in _spans(size[1], side, overlap):
            made = work(rows, columns)
            _check_size(made, rows, columns)
            if total is None or weights is None:
                total = made.new_zeros(*made.shape[:2], *size)
                weights = made.new_zeros(size)
            window = _window(made.shape[2], overlap, made)[:, None] * _window(made.shape[3], overlap, made)
            total[:, :, rows, columns] += made * window
            weights[rows, columns] += window
    assert total is not None
    assert weights is not None
    return total / weights


def _check_size(made: Tensor, rows: slice, columns: slice) -> None:
    wanted = (rows.stop - rows.start, columns.stop - columns.start)
    if made.shape[2:] != wanted:
        sizes = [f"{height} x {width}" for height, width in (wanted, made.shape[2:])]
        raise UserError(
            f"a tile of {sizes[0]} pixels became a picture of {sizes[1]}: options that put several pictures beside "
            "each other, or change the size, do not go with tiles"
        )


def _spans(length: int, side: int, overlap: int) -> list[slice]:
    """Where tiles lie, evenly spaced, the last one ending with the image."""
    if length <= side:
        return [slice(0, length)]
    count = -(-(length - overlap) // (side - overlap))
    starts = [round(index * (length - side) / (count - 1)) for index in range(count)]
    return [slice(start, start + side) for start in starts]


def _window(length: int, overlap: int, like: Tensor) -> Tensor:
    """Weights (length,) that rise over the overlap from both ends; never 0, so that borders count as well."""
    places = torch.arange(length, device=like.device, dtype=like.dtype)
    nearest = torch.minimum(places, length - 1 - places) + 1
    return (nearest / (overlap + 1)).clamp(max=1)
