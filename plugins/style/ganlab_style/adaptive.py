"""StyleGAN's layer: an operation, noise, bias, rectifier, and normalization that a style modulates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganlab.nn import BiasActivation, PixelNorm, Resampler, equalized
from ganlab.randomness import layer_normal

_EPS = 1e-8


class AdaptiveNorm(nn.Module):
    """Instance normalization whose gain (1 plus it) and bias are linear in a style (Huang and Belongie, 2017)."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.affine = equalized(nn.Linear(size, 2 * channels), gain=1.0)
        nn.init.zeros_(self.affine.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor, styles: Tensor) -> Tensor:
        """Features (N, channels, H, W) normalised and modulated by styles (N, size); in float32 or more inside."""
        exact = features if features.dtype == torch.float64 else features.float()
        centred = exact - exact.mean((2, 3), keepdim=True)
        normalized = centred * torch.rsqrt(centred.square().mean((2, 3), keepdim=True) + _EPS)
        gain, bias = self.affine(styles)[:, :, None, None].to(exact.dtype).chunk(2, dim=1)
        return torch.addcmul(bias, normalized, gain + 1).to(features.dtype)


class AdaptiveLayer(nn.Module):
    """An operation and what follows it.

    Args:
        operation: makes features of features; without a bias.
        channels: of its result.
        size: numbers in a style; 0 for pixel norm and no style.
        noise: add noise, times a strength for each channel that is learned and starts at 0.
        resampler: smooths what the operation has enlarged.
    """

    def __init__(
        self, operation: nn.Module, channels: int, size: int, noise: bool, resampler: Resampler | None = None
    ) -> None:
        super().__init__()
        self.operation = operation
        self.resampler = resampler
        self.noise_strength = nn.Parameter(torch.zeros(channels)) if noise else None
        self.activation = BiasActivation(channels, gain=1.0)
        self.pixel_norm = None if size else PixelNorm()
        self.adaptive = AdaptiveNorm(channels, size) if size else None
        self.described_as = _kind(operation)
        self.activation_name = "LReLU, " + ("AdaIN" if size else "PixelNorm")

    def forward(self, features: Tensor, styles: Tensor, noisy: bool = True) -> Tensor:
        """Features after the layer; `noisy` is whether it adds its noise."""
        features = self.operation(features)
        if self.resampler is not None:
            features = self.resampler.smooth(features)
        if self.noise_strength is not None and noisy:
            noise = layer_normal(features, 1, *features.shape[2:])
            features = features + noise * self.noise_strength.to(features.dtype)[:, None, None]
        features = self.activation(features)
        result: Tensor = self.pixel_norm(features) if self.pixel_norm else self.adaptive(features, styles)  # type: ignore[misc]
        return result


def _kind(operation: nn.Module) -> str:
    described = getattr(operation, "described_as", None)
    if isinstance(described, str):
        return described
    return "Upsample, Conv 3x3" if getattr(operation, "resample", None) == "up" else "Conv 3x3"
