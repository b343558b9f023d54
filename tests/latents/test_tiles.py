"""Images that are worked on in tiles."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlab.errors import UserError
from ganlab.latents.tiles import in_tiles


@pytest.mark.parametrize(("height", "width", "side", "overlap"), [(30, 47, 16, 4), (16, 16, 16, 8), (9, 40, 16, 0)])
def test_work_on_single_pixels_is_the_same_in_tiles(height: int, width: int, side: int, overlap: int) -> None:
    images = torch.rand(1, 3, height, width, dtype=torch.float64)
    made = in_tiles((height, width), lambda rows, columns: images[:, :2, rows, columns] * 2 + 1, side, overlap)
    assert torch.allclose(made, images[:, :2] * 2 + 1)


def test_far_from_the_borders_of_tiles_a_convolution_is_that_of_the_whole() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 1, 3, padding=1).double()
    images = torch.rand(1, 1, 16, 64, dtype=torch.float64)
    whole, tiled = layer(images), in_tiles((16, 64), lambda rows, columns: layer(images[..., rows, columns]), 32, 16)
    assert torch.allclose(whole[..., :14], tiled[..., :14])
    assert (whole - tiled).abs().max() < 0.1 * whole.abs().max()


def test_tiles_fade_into_each_other() -> None:
    """Tiles that come out darker by turns have no seam: neighbours differ by less than the tiles do."""
    numbers = iter(range(100))

    def work(rows: slice, columns: slice) -> Tensor:
        size = (rows.stop - rows.start, columns.stop - columns.start)
        return torch.full((1, 1, *size), float(next(numbers) % 2), dtype=torch.float64)

    made = in_tiles((8, 56), work, 16, 8)
    assert made.diff(dim=3).abs().max() < 0.2
    assert {float(made.min()), float(made.max())} == {0.0, 1.0}


def test_tiles_that_are_nothing_but_overlap_are_refused() -> None:
    with pytest.raises(UserError, match="overlap by 0 to 8, not 9"):
        in_tiles((20, 20), lambda rows, columns: torch.zeros(1, 1, 16, 16), 16, 9)


def test_pictures_beside_each_other_are_no_tiles() -> None:
    with pytest.raises(UserError, match="a tile of 16 x 16 pixels became a picture of 16 x 32"):
        in_tiles((20, 20), lambda rows, columns: torch.zeros(1, 1, 16, 32), 16, 4)
