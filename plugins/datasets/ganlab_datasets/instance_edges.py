"""Where objects end in a map of instances."""

from __future__ import annotations

import torch
from torch import Tensor


def instance_edges(instances: Tensor) -> Tensor:
    """1 where a pixel beside, above or below has another number, else 0: uint8, as maps (..., H, W) of numbers.

    Pixels on both sides of a border count (Wang et al., 2018, "pix2pixHD"), so that mirroring changes nothing.
    """
    edges = torch.zeros_like(instances, dtype=torch.bool)
    beside = instances[..., :, 1:] != instances[..., :, :-1]
    below = instances[..., 1:, :] != instances[..., :-1, :]
    edges[..., :, 1:] |= beside
    edges[..., :, :-1] |= beside
    edges[..., 1:, :] |= below
    edges[..., :-1, :] |= below
    return edges.to(torch.uint8)
