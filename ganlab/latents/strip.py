"""Pictures of tools: images in rows and columns, with names and titles, and films of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ganlab.data.grid import save_sheet
from ganlab.data.scaling import to_bytes

EMPTY = 96 / 127.5 - 1
"""The grey between the cells of a sheet, for cells without an image."""


@dataclass(frozen=True)
class Strip:
    """Images (rows, columns, C, H, W) in [-1, 1], names of the rows and titles of the columns."""

    images: Tensor
    names: Sequence[str] = ()
    titles: Sequence[str] = ()

    def save(self, path: Path) -> None:
        """Write a PNG for people to look at, enlarged by a whole factor."""
        rows, columns = self.images.shape[:2]
        save_sheet(to_bytes(self.images.flatten(0, 1)).cpu(), path, rows, columns, self.names, self.titles)


def with_margins(images: Tensor, left: Tensor, top: Tensor) -> Tensor:
    """Images (rows, columns, C, H, W) with those of `left` (rows, ...) and `top` (columns, ...) beside and above."""
    corner = torch.full_like(images[:1, 0], EMPTY)
    first = torch.cat([corner, top])[None]
    return torch.cat([first, torch.cat([left[:, None], images], dim=1)])
