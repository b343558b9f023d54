"""Pixel norm."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PixelNorm(nn.Module):
    """Scales the channel vector of each pixel to a root mean square of 1 (Karras et al., 2018); no parameters.

    Takes (N, C, ...). A conditioning vector is accepted and not used.
    """

    def __init__(self, eps: float = 1e-8) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, images: Tensor, vector: Tensor | None = None) -> Tensor:
        """`images` divided by their root mean square over channels."""
        return images * torch.rsqrt(images.square().mean(1, keepdim=True) + self.eps)

    def extra_repr(self) -> str:
        """The option, for printing."""
        return f"eps={self.eps}"
