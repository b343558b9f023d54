"""What both networks must agree on: widths, and how a layer is made and what follows it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from ganlab.contracts import Normalizer
from ganlab.errors import UserError
from ganlab.nn import Conv2d, PixelNorm, Scaled, equalized, leaky_relu

SMALLEST = 4
HE = math.sqrt(2)  # the gain of weights before a rectifier
ActivationName = Literal["leaky_relu", "relu"]
_SLOPES = {"leaky_relu": 0.2, "relu": 0.0}


def resolutions_up_to(resolution: int) -> list[int]:
    """4, 8, ... and `resolution`. Raises `UserError` for one that doubling 4 does not reach."""
    if resolution < SMALLEST or resolution & (resolution - 1):
        raise UserError(
            f"progressive takes square images of 4, 8, 16, ... 1024 pixels, powers of two, not {resolution}: set "
            "'data.resolution' to one of these, or crop the pictures to such a size"
        )
    return [1 << power for power in range(2, resolution.bit_length())]


def width_at(resolution: int, base: float, decay: float, largest: int) -> int:
    """Channels of the maps of a resolution: base / 2^(decay * (log2(resolution) - 1)), at most `largest`."""
    return max(1, min(int(base / 2 ** (decay * (math.log2(resolution) - 1))), largest))


@dataclass(frozen=True)
class LayerStyle:
    """How all hidden layers of a network are made."""

    equalized: bool = True
    normalizer: Normalizer | None = None
    activation: ActivationName = "leaky_relu"
    pixel_norm: bool = False
    noise: nn.Module | None = None

    def convolution(self, inputs: int, outputs: int, kernel_size: int = 3, padding: int = 1) -> Layer:
        """A hidden convolution with what follows it."""
        return self.layer(Conv2d(inputs, outputs, kernel_size, padding=padding), outputs)

    def layer(self, operation: nn.Module, outputs: int, gain: float = HE) -> Layer:
        """An operation with what follows it in hidden layers."""
        normalization = None if self.normalizer is None else self.normalizer.activation(outputs)
        pixel_norm = PixelNorm() if self.pixel_norm else None
        return Layer(self.weighted(operation, gain), normalization, _SLOPES[self.activation], pixel_norm, self.noise)

    def from_rgb(self, channels: int, outputs: int) -> Layer:
        """The layer that takes images in, without normalization of its maps."""
        return Layer(self.weighted(Conv2d(channels, outputs, 1), HE), None, _SLOPES[self.activation], None)

    def weighted(self, operation: nn.Module, gain: float) -> nn.Module:
        """An operation with its weight drawn, equalized if wanted, and normalized; its bias starts at 0."""
        bias = getattr(operation, "bias", None)
        if bias is not None:
            nn.init.zeros_(bias)
        if self.equalized:
            equalized(operation, gain)
        else:
            weight = operation.weight
            assert isinstance(weight, Tensor)
            nn.init.normal_(weight, 0.0, gain / math.sqrt(weight[0].numel()))
        if self.normalizer is None:
            return operation
        normalized = self.normalizer.weight(operation)
        if self.equalized and _times_scaled(normalized) > 1:
            raise UserError(
                "the normalizer scales weights that are equalized already, which would slow their learning down: leave "
                "it out, or set 'equalized: false'"
            )
        return normalized


def _times_scaled(layer: nn.Module) -> int:
    """How many constant factors there are between a layer's stored weight and the one that is used."""
    parametrizations: Any = layer.parametrizations
    return sum(isinstance(step, Scaled) for step in parametrizations["weight"])


class Layer(nn.Module):
    """Noise, operation, normalization, (leaky) rectifier, pixel norm, as far as there are any.

    The noise belongs to the network, not to its layers, which share it.
    """

    def __init__(
        self,
        operation: nn.Module,
        normalization: nn.Module | None,
        slope: float,
        pixel_norm: nn.Module | None,
        noise: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self._noise = (noise,)  # in a tuple, so that it is not registered
        self.described_as = _kind(operation)
        self.operation = operation
        self.normalization = normalization
        self.slope = slope
        self.pixel_norm = pixel_norm

    @property
    def activation_name(self) -> str:
        """What follows the operation, for `ganlab describe`."""
        steps = [type(self.normalization).__name__] if self.normalization else []
        steps.append("LReLU" if self.slope else "ReLU")
        return ", ".join([*steps, "PixelNorm"] if self.pixel_norm else steps)

    def forward(self, features: Tensor) -> Tensor:
        """The layer's maps."""
        (noise,) = self._noise
        features = self.operation(features if noise is None else noise(features))
        if self.normalization is not None:
            features = self.normalization(features)
        features = leaky_relu(features, self.slope)
        return features if self.pixel_norm is None else self.pixel_norm(features)


def _kind(operation: nn.Module) -> str:
    """The operation as the paper's table names it: `Upsample, Conv 3x3`."""
    if not isinstance(operation, Conv2d):
        return f"Conv {SMALLEST}x{SMALLEST}"  # of latents, as one pixel, to maps
    convolution = f"Conv {operation.kernel_size[0]}x{operation.kernel_size[1]}"
    resample = getattr(operation, "resample", None)
    return {"up": f"Upsample, {convolution}", "down": f"{convolution}, Downsample"}.get(str(resample), convolution)
