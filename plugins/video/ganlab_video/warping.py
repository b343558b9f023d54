"""Frames moved by the motion of their pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def warp(images: Tensor, flow: Tensor) -> Tensor:
    """What images (N, C, H, W) show at the places that a flow (N, 2, H, W) points at from each pixel.

    The flow is counted in pixels, to the right and down. Between pixels it is bilinear, outside the nearest pixel.
    """
    height, width = images.shape[-2:]
    right = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[:, 0]
    down = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    places = torch.stack([(2 * right + 1) / width - 1, (2 * down + 1) / height - 1], dim=-1)
    return grid_sample(images, places.to(images.dtype), mode="bilinear", padding_mode="border", align_corners=False)


def chained(flow: Tensor, before: Tensor) -> Tensor:
    """The flow (N, 3, H, W) over two steps back, from that over the last one and that over the one before.

    Where each pixel was is known if both flows know it.
    """
    moved = warp(before, flow[:, :2])
    known = flow[:, 2:] * (moved[:, 2:] > 0.999).to(flow.dtype)  # all pixels around must be known
    return torch.cat([flow[:, :2] + moved[:, :2], known], dim=1)


def flow_back(flows: Tensor, frame: int, steps: int) -> Tensor:
    """The flow (N, 3, H, W) from a frame to the one so many `steps` before, of flows (N, T, 3, H, W) of one step."""
    found = flows[:, frame]
    for step in range(1, steps):
        found = chained(found, flows[:, frame - step])
    return found
