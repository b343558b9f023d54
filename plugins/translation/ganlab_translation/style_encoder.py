"""The encoder of SPADE: what an image looks like, apart from what its map says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from ganlab_layers.glorot import initialise, initialised
from ganlab_layers.groups import InstanceNormalizer
from ganlab_layers.spectral import SpectralNormalizer
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab import UserError
from ganlab.bounds import Count
from ganlab.contracts import Normalizer
from ganlab.nn import CombinedNormalizer, Conv2d, LeakyReLU


class StyleEncoder(nn.Module):
    """Images (N, C, H, W) to means and logarithms of variances (N, latent_size) of a style's distribution.

    The defaults are the published network (Park et al., 2019): 10,463,424 parameters for RGB.

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers of a style.
        size: side of the square that images are brought to, by bilinear interpolation.
        widths: channels of the convolutions, each of which halves the sides.
        normalizer: behind each of these; null for instance norm without gain and bias, and spectral norm.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 3, "size": 8, "widths": [4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 256,
        size: Count = 256,
        widths: Sequence[Count] = (64, 128, 256, 512, 512, 512),
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        if len(shape) != 3:
            raise UserError("spade_encoder looks at images, and the examples of these data are none")
        normalizer = normalizer or CombinedNormalizer([SpectralNormalizer(), InstanceNormalizer(affine=False)])
        bias = not getattr(normalizer, "centers", False)
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([shape[0], *widths]):
            halving = normalizer.weight(initialised(Conv2d(inputs, outputs, 3, 2, 1, bias=bias)))
            layers += [halving, normalizer.activation(outputs), LeakyReLU(0.2)]
            size = -(-size // 2)
        self.side = size * 2 ** len(widths)
        self.latent_size = latent_size
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.mean, self.log_variance = (nn.Linear(widths[-1] * size * size, latent_size) for _ in range(2))
        initialise(self)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance of each number of the style."""
        if images.shape[2:] != (self.side, self.side):
            images = interpolate(images, (self.side, self.side), mode="bilinear")
        features = self.layers(images)
        return self.mean(features), self.log_variance(features)
