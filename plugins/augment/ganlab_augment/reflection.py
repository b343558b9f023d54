"""Images that go on beyond their edges as in mirrors."""

from __future__ import annotations

import torch
from torch import Tensor


def folded(places: Tensor, size: int) -> Tensor:
    """Places on an endless line, folded at 0 and `size` - 1, the centres of the first and the last pixel."""
    if size == 1:
        return torch.zeros_like(places)
    last = size - 1
    return last - (places.remainder(2 * last) - last).abs()
