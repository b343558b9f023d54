"""The networks of one scale: a few 3x3 convolutions that see small patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.modules.batchnorm import _BatchNorm

from ganlab import UserError
from ganlab.bounds import Count, Depth
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, LeakyReLU

DEVIATION = 0.02  # of initial weights
_DOUBLED_EVERY = 4  # scales


class PatchNetwork(nn.Module):
    """Convolutions 3x3 without padding: images (N, C, H, W) to maps (N, outputs, H - 2 layers, W - 2 layers).

    All but the last are followed by the normalizer's activation and a leaky ReLU of slope 0.2. One number of the output
    sees a square of 2 layers + 1 pixels.
    """

    def __init__(self, channels: int, outputs: int, width: int, layers: int, normalizer: Normalizer | None) -> None:
        super().__init__()
        if layers < 2:
            raise UserError(f"the networks of singan have at least 2 layers, the first and the last, not {layers}")
        normalizer = normalizer or BatchNormalizer()
        parts: list[nn.Module] = []
        for inputs in [channels, *[width] * (layers - 2)]:
            parts += [_convolution(inputs, width, normalizer), _activation(width, normalizer), LeakyReLU(0.2)]
        self.layers = nn.Sequential(*parts, _convolution(width, outputs, normalizer))
        self.border = layers
        """Pixels that each side of an image loses."""

    def forward(self, images: Tensor) -> Tensor:
        """The maps."""
        maps: Tensor = self.layers(images)
        return maps


class SinGANGenerator(nn.Module):
    """Noise and an image (N, C, H, W) of one scale to an image of the same size: the image, and a correction of it.

    The sum of both is padded with zeros once, at the input, and not in the layers, so that the correction of a pixel
    near the border sees how far away the border is.

    Args:
        channels: Channels of an image.
        width: channels of the maps at the coarsest scale; they are doubled every fourth scale.
        widest: channels, at most.
        layers: convolutions 3x3; five see 11x11 pixels.
        normalizer: behind each layer but the last; null means batch norm, as in the paper.
        scale: place in the pyramid, from the coarsest; the game sets it.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "layers": 3, "normalizer": "none"}

    def __init__(
        self,
        channels: int,
        width: Count = 32,
        widest: Count = 128,
        layers: Depth = 5,
        normalizer: Normalizer | None = None,
        scale: Annotated[int, Ge(0), Le(100)] = 0,
    ) -> None:
        super().__init__()
        self.correct = PatchNetwork(channels, channels, width_at(scale, width, widest), layers, normalizer)

    def forward(self, noise: Tensor, image: Tensor) -> Tensor:
        """Images; `noise` has the amplitude that it is added with."""
        correction: Tensor = self.correct(pad(noise + image, (self.correct.border,) * 4))
        return image + correction.tanh()


class SinGANDiscriminator(nn.Module):
    """Images (N, C, H, W) of one scale to logits (N, H - 2 layers, W - 2 layers), one for each patch.

    Nothing is padded: patches lie within the image.

    Args:
        channels: Channels of an image.
        width: channels of the maps at the coarsest scale; they are doubled every fourth scale.
        widest: channels, at most.
        layers: convolutions 3x3; five see 11x11 pixels.
        normalizer: behind each layer but the last; null means batch norm, as in the paper.
        scale: place in the pyramid, from the coarsest; the game sets it.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4, "layers": 3, "normalizer": "none"}

    def __init__(
        self,
        channels: int,
        width: Count = 32,
        widest: Count = 128,
        layers: Depth = 5,
        normalizer: Normalizer | None = None,
        scale: Annotated[int, Ge(0), Le(100)] = 0,
    ) -> None:
        super().__init__()
        self.judge = PatchNetwork(channels, 1, width_at(scale, width, widest), layers, normalizer)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        smallest = 2 * self.judge.border + 1
        if min(images.shape[2:]) < smallest:
            raise UserError(
                f"a patch of this discriminator has {smallest} x {smallest} pixels, more than an image of "
                f"{images.shape[2]} x {images.shape[3]}: raise 'architecture.coarsest', or give it fewer 'layers'"
            )
        logits: Tensor = self.judge(images)
        return logits.squeeze(1)


def width_at(scale: int, width: int, widest: int) -> int:
    """Channels of the maps of a scale, counted from the coarsest."""
    return min(width * 2 ** (scale // _DOUBLED_EVERY), widest)


def _convolution(inputs: int, outputs: int, normalizer: Normalizer) -> nn.Module:
    layer = Conv2d(inputs, outputs, 3)
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    return normalizer.weight(layer)


def _activation(width: int, normalizer: Normalizer) -> nn.Module:
    norm = normalizer.activation(width)
    if isinstance(norm, _BatchNorm):
        nn.init.normal_(norm.weight, 1.0, DEVIATION)
    return norm
