"""Multi-scale structural similarity of pairs of images (Wang et al., 2003)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5
_LUMINANCE, _CONTRAST = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def ms_ssim(first: Tensor, second: Tensor) -> Tensor:
    """Similarity (N,) of images (N, C, H, W) with values from 0 to 255: 1 for equal ones.

    Five scales, each the mean of four pixels of the one before; the Gaussian window of 11 pixels lies wholly within
    the image and shrinks, with its deviation, to images that are smaller. Negative similarities count as 0.
    """
    total = first.new_ones(len(first))
    for scale, weight in enumerate(WEIGHTS):
        similarity, contrast = _similarity(first, second)
        last = scale == len(WEIGHTS) - 1
        total = total * (similarity if last else contrast).clamp(min=0) ** weight
        first, second = _halved(first), _halved(second)
    return total


def _similarity(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Structural similarity and its part for contrast and structure, (N,) each."""
    window = _window(min(_WINDOW, *first.shape[2:]), first)
    mean_1, mean_2 = _filtered(first, window), _filtered(second, window)
    variances = _filtered(first.square(), window) + _filtered(second.square(), window)
    variances = variances - mean_1.square() - mean_2.square()
    covariance = _filtered(first * second, window) - mean_1 * mean_2
    contrast = (2 * covariance + _CONTRAST) / (variances + _CONTRAST)
    luminance = (2 * mean_1 * mean_2 + _LUMINANCE) / (mean_1.square() + mean_2.square() + _LUMINANCE)
    return (luminance * contrast).mean((1, 2, 3)), contrast.mean((1, 2, 3))


def _window(size: int, like: Tensor) -> Tensor:
    """Weights (size,) of the window along one axis."""
    places = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    heights = torch.exp(-(places / (_SIGMA * size / _WINDOW)).square() / 2)
    return heights / heights.sum()


def _filtered(images: Tensor, window: Tensor) -> Tensor:
    channels = images.shape[1]
    images = F.conv2d(images, window.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)
    return F.conv2d(images, window.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)


def _halved(images: Tensor) -> Tensor:
    """Half the size, an odd side rounded up; images of one pixel stay."""
    return F.avg_pool2d(images, 2, ceil_mode=True) if max(images.shape[2:]) > 1 else images
