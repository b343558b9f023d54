"""Layers and operations that several families share."""

from __future__ import annotations

from ganlab.nn.normalizer import Normalizer, Unchanged
from ganlab.nn.pixel_norm import PixelNorm
from ganlab.nn.spectral_norm import SpectralNorm, spectral_norm

__all__ = ["Normalizer", "PixelNorm", "SpectralNorm", "Unchanged", "spectral_norm"]
