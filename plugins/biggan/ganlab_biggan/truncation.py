"""Latents from a normal distribution that is cut off."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def truncated(latents: Tensor, threshold: float | None) -> Tensor:
    """Standard normal latents as standard normal ones of which none is further from 0 than the threshold.

    Each number goes to the number that has its rank in the other distribution. That is what drawing anew whatever lies
    beyond the threshold leads to (Brock et al., 2019), and it lets a sample change gradually with the threshold.
    Latents that are scaled, or clipped, have another distribution.
    """
    if threshold is None:
        return latents
    inside = math.erf(threshold / math.sqrt(2))
    ranks = torch.special.ndtr(latents.double())
    result = torch.special.ndtri((1 - inside) / 2 + inside * ranks)
    return result.clamp(-threshold, threshold).to(latents.dtype)
