"""The generator of CycleGAN: residual blocks between a short way down and up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from annotated_types import Ge, Le
from ganlab_layers.groups import InstanceNormalizer
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer
from ganlab.facts import InputFacts
from ganlab.nn import Conv2d, ConvTranspose2d, ReLU
from ganlab.nn.conditions import condition_channels
from ganlab.nn.initialisation import activation, convolution, has_bias
from ganlab_translation.unet import check_images, check_sides

_SMALL, _LARGE = 6, 9  # blocks for images of 128 pixels and of 256
_LARGE_FROM = 256
_REFLECTED = 3  # pixels around an image


class ResNetGenerator(nn.Module):
    """Images or maps (N, C, H, W) to images of their size, in [-1, 1] (Zhu et al., 2017, appendix 7.2).

    A 7x7 convolution, two that halve, residual blocks of two 3x3 convolutions, two transposed ones that double, and a
    last 7x7 convolution; borders are reflected. Sides need not be even. With `bias: true` and 256-pixel RGB images in
    and out there are 11,378,179 parameters (7,837,699 with 6 blocks), as many as published; the biases before a norm
    do nothing.

    Args:
        shape: (channels, height, width) of the images that are made.
        inputs: facts of what they are made from; without any, of images of the same shape.
        width: channels of the finest layer.
        blocks: residual blocks; null for 6, and for 9 from 256 pixels on.
        normalizer: behind all layers but the last; null for instance norm without gains, as published.
        bias: give every layer a bias, also where a norm takes it away again.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "blocks": 1}

    def __init__(
        self,
        shape: tuple[int, ...],
        inputs: Mapping[str, InputFacts] | None = None,
        width: Count = 64,
        blocks: Annotated[int, Ge(0), Le(100)] | None = None,
        normalizer: Normalizer | None = None,
        bias: bool = False,
    ) -> None:
        super().__init__()
        normalizer = normalizer or InstanceNormalizer(affine=False)
        channels = condition_channels(inputs, shape) if inputs else check_images(shape)[0]
        if blocks is None:
            blocks = _LARGE if max(shape[1:]) >= _LARGE_FROM else _SMALL
        biased = has_bias(normalizer, bias)

        def layer(before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
            padding = {"padding": size // 2, "padding_mode": "reflect" if stride == 1 else "zeros"}
            made = convolution(Conv2d(before, after, size, stride, bias=biased, **padding), normalizer)
            return nn.Sequential(made, activation(after, normalizer))

        self.down = nn.ModuleList(
            [layer(channels, width, 7), layer(width, 2 * width, 3, 2), layer(2 * width, 4 * width, 3, 2)]
        )
        self.blocks = nn.ModuleList(
            nn.Sequential(layer(4 * width, 4 * width, 3), ReLU(), layer(4 * width, 4 * width, 3)) for _ in range(blocks)
        )
        self.up = nn.ModuleList(
            convolution(ConvTranspose2d(before, before // 2, 3, 2, 1, bias=biased), normalizer)
            for before in (4 * width, 2 * width)
        )
        self.up_norms = nn.ModuleList(activation(after, normalizer) for after in (2 * width, width))
        last = Conv2d(width, shape[0], 7, padding=_REFLECTED, padding_mode="reflect")
        self.last = convolution(last, normalizer)

    def forward(self, source: Tensor) -> Tensor:
        """Images made from `source`."""
        check_sides(source, 5, "borders are reflected, so")
        sizes, features = [], source
        for layer in self.down:
            sizes.append(features.shape[2:])
            features = layer(features).relu()
        for block in self.blocks:
            features = features + block(features)
        for double, norm, size in zip(self.up, self.up_norms, reversed(sizes[1:]), strict=True):
            features = norm(double(features, output_size=size)).relu()
        images: Tensor = self.last(features)
        return images.tanh()
