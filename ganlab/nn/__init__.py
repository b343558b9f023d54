"""Layers and operations that several families share."""

from __future__ import annotations

from ganlab.nn.convolution import Conv2d, ConvTranspose2d, conv2d, conv_transpose2d
from ganlab.nn.leaky_relu import LeakyReLU, ReLU, leaky_relu
from ganlab.nn.normalizer import Normalizer, Unchanged
from ganlab.nn.pixel_norm import PixelNorm
from ganlab.nn.spectral_norm import SpectralNorm, spectral_norm

__all__ = [
    "Conv2d",
    "ConvTranspose2d",
    "LeakyReLU",
    "Normalizer",
    "PixelNorm",
    "ReLU",
    "SpectralNorm",
    "Unchanged",
    "conv2d",
    "conv_transpose2d",
    "leaky_relu",
    "spectral_norm",
]
