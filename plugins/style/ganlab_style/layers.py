"""Layers of StyleGAN2's networks: modulated ones of the generator, plain ones of the discriminator."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ganlab.nn import BiasActivation, Conv2d, Resampler, equalized, modulated_conv2d
from ganlab.randomness import layer_normal

HALF = math.sqrt(0.5)
"""What both branches of a residual sum are scaled by, so that its variance is that of each."""


class ModulatedLayer(nn.Module):
    """A convolution whose weights a style scales, channel by channel of its input; the scales start around 1."""

    def __init__(self, inputs: int, outputs: int, side: int, size: int, fused: bool) -> None:
        super().__init__()
        self.affine = equalized(nn.Linear(size, inputs), gain=1.0)
        nn.init.ones_(self.affine.bias)  # type: ignore[arg-type]
        self.weight = nn.Parameter(torch.randn(outputs, inputs, side, side))
        self.factor = 1 / math.sqrt(inputs * side**2)
        self.fused = fused

    def convolve(
        self, features: Tensor, styles: Tensor, demodulate: bool = True, resampler: Resampler | None = None
    ) -> Tensor:
        """Features (N, outputs, ...) of features (N, inputs, ...) by styles (N, size)."""
        # The factor of the equalized weight is in the scales, which are smaller.
        scales = self.affine(styles) * self.factor
        return modulated_conv2d(features, self.weight, scales, demodulate, resampler, self.fused)


class StyledConvolution(ModulatedLayer):
    """A modulated 3x3 convolution, noise, bias, rectifier.

    Args:
        inputs: channels of the features.
        outputs: channels of the result.
        size: numbers in a style.
        resampler: what enlarges the features by two; null to leave their size.
        noise: add noise, the same for all channels, times a strength that is learned and starts at 0.
        clamp: largest absolute value of the result.
        fused: a weight for each image instead of scaled inputs and outputs.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        resampler: Resampler | None,
        noise: bool,
        clamp: float | None,
        fused: bool,
    ) -> None:
        super().__init__(inputs, outputs, 3, size, fused)
        self.described_as = "Upsample, modulated 3x3" if resampler else "Modulated 3x3"
        self.resampler = resampler
        self.noise_strength = nn.Parameter(torch.zeros(())) if noise else None
        self.activation = BiasActivation(outputs, clamp=clamp)
        self.activation_name = "LReLU"

    def forward(self, features: Tensor, styles: Tensor, noisy: bool = True) -> Tensor:
        """Features after the layer; `noisy` is whether it adds its noise."""
        features = self.convolve(features, styles, resampler=self.resampler)
        if self.noise_strength is not None and noisy:
            noise = layer_normal(features, 1, *features.shape[2:])
            features = features + noise * self.noise_strength.to(features.dtype)
        result: Tensor = self.activation(features)
        return result


class StyledImage(ModulatedLayer):
    """Images of features: a modulated 1x1 convolution without demodulation, and a bias."""

    def __init__(self, inputs: int, channels: int, size: int, clamp: float | None, fused: bool) -> None:
        super().__init__(inputs, channels, 1, size, fused)
        self.described_as = "Modulated 1x1"
        self.activation = BiasActivation(channels, slope=1.0, gain=1.0, clamp=clamp)

    def forward(self, features: Tensor, styles: Tensor) -> Tensor:
        """Images (N, channels, H, W), in float32 at least, as they are summed over levels."""
        images = self.convolve(features, styles, demodulate=False)
        return self.activation(images if images.dtype == torch.float64 else images.float())


class Convolution(nn.Module):
    """A convolution with an equalized learning rate, bias and rectifier, which may reduce the features by two.

    Args:
        inputs: channels of the features.
        outputs: channels of the result.
        side: of the kernel.
        resampler: what filters features before a stride of two; null to leave their size.
        clamp: largest absolute value of the result.
        gain: factor of the result beside the rectifier's sqrt(2).
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int = 3,
        resampler: Resampler | None = None,
        clamp: float | None = None,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.described_as = f"Conv {side}x{side}" + (", Downsample" if resampler else "")
        self.activation_name = "LReLU"
        stride, padding = (2, 0) if resampler else (1, side // 2)
        self.resampler = resampler
        self.convolution = equalized(Conv2d(inputs, outputs, side, stride, padding, bias=False), gain=1.0)
        self.activation = BiasActivation(
            outputs, gain=math.sqrt(2) * gain, clamp=None if clamp is None else clamp * gain
        )

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, outputs, ...)."""
        if self.resampler is not None:
            features = self.resampler.before_strided(features)
        result: Tensor = self.activation(self.convolution(features))
        return result


class Shortcut(nn.Module):
    """The other branch of a residual block: a 1x1 convolution without bias, on the smaller of both sizes."""

    def __init__(self, inputs: int, outputs: int, resampler: Resampler, enlarges: bool) -> None:
        super().__init__()
        self.described_as = "Upsample, Conv 1x1" if enlarges else "Downsample, Conv 1x1"
        self.resampler = resampler
        self.enlarges = enlarges
        self.convolution = equalized(Conv2d(inputs, outputs, 1, bias=False), gain=HALF)

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, outputs, ...) of twice or half the size."""
        if self.enlarges:
            return self.resampler.up(self.convolution(features))
        result: Tensor = self.convolution(self.resampler.down(features))
        return result
