"""The generator of pix2pix: an encoder and a decoder with connections between layers of one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le, Lt
from ganlab_layers.groups import InstanceNormalizer
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from ganlab.bounds import Count, Natural
from ganlab.contracts import Normalizer
from ganlab.errors import UserError
from ganlab.facts import InputFacts
from ganlab.nn import Conv2d, ConvTranspose2d, Dropout
from ganlab.nn.conditions import condition_channels
from ganlab.nn.initialisation import activation, convolution, has_bias

_DEEPEST = 8
_MOST = 8  # times the width of the finest layer
_DROPPED = (0, 1, 2)  # layers of the way up


class UNetGenerator(nn.Module):
    """Images or maps (N, C, H, W) to images of their size, in [-1, 1] (Isola et al., 2017, appendix 6.1.1).

    4x4 convolutions halve the maps `depth` times, transposed ones double them again, each on what the layer before it
    made and on the map of that size from the way down. The first three layers of the way up drop half of their
    numbers, in sampling as well: nothing else makes two translations of one input differ. Sides need not
    be even: 2^depth pixels are enough, and at a size of its own a layer makes what is missing. Where layers have a
    normalizer that subtracts means, their biases are left out, as in the authors' PyTorch code. With the defaults and
    256-pixel RGB images in and out there are 54,413,955 parameters, as many as published.

    Args:
        shape: (channels, height, width) of the images that are made.
        inputs: facts of what they are made from; without any, of images of the same shape.
        width: channels of the finest layer; others have up to 8 times as many.
        depth: how often maps are halved; null for as often as the shorter side allows, 8 times at most.
        dropout: share of the numbers that are dropped, always.
        dropped: layers of the way up that drop, the innermost being 0; null for the first three, as in the paper. The
            authors' PyTorch code has [1, 2, 3] at a depth of 8.
        normalizer: behind all layers but the first, the innermost and the last; null for instance norm, which is batch
            norm for batches of one image, as published.
        bias: give every layer a bias.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "depth": 2}

    def __init__(
        self,
        shape: tuple[int, ...],
        inputs: Mapping[str, InputFacts] | None = None,
        width: Count = 64,
        depth: Annotated[int, Ge(1), Le(20)] | None = None,
        dropout: Annotated[float, Ge(0), Lt(1)] = 0.5,
        normalizer: Normalizer | None = None,
        bias: bool = False,
        dropped: Sequence[Natural] | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or InstanceNormalizer()
        channels = condition_channels(inputs, shape) if inputs else check_images(shape)[0]
        depth = _depth_for(shape, depth)
        biased = has_bias(normalizer, bias)
        widths = [width * min(2**level, _MOST) for level in range(depth)]
        self.down = nn.ModuleList(
            convolution(Conv2d(before, after, 4, 2, 1, bias=biased), normalizer)
            for before, after in pairwise([channels, *widths])
        )
        normalized = [activation(each, normalizer) for each in widths[1:-1]]
        self.down_norms = nn.ModuleList([nn.Identity(), *normalized, nn.Identity()][:depth])
        outputs = [*reversed(widths[:-1]), shape[0]]
        arriving = [widths[-1], *(2 * each for each in outputs[:-1])]
        self.up = nn.ModuleList(
            convolution(ConvTranspose2d(before, after, 4, 2, 1, bias=biased or last), normalizer)
            for before, after, last in zip(arriving, outputs, [False] * (depth - 1) + [True], strict=True)
        )
        self.up_norms = nn.ModuleList(activation(each, normalizer) for each in outputs[:-1])
        dropping = _DROPPED if dropped is None else _layers(dropped, depth - 1)
        shares = [dropout if level in dropping else 0.0 for level in range(depth - 1)]
        self.drops = nn.ModuleList(Dropout(share, always=True) for share in shares)

    def forward(self, source: Tensor) -> Tensor:
        """Images made from `source`, whose sides are 2^depth pixels at least."""
        check_sides(source, 2 ** len(self.down), "the generator halves its input so often")
        maps = [source]
        for level, (layer, norm) in enumerate(zip(self.down, self.down_norms, strict=True)):
            maps.append(norm(layer(leaky_relu(maps[-1], 0.2) if level else source)))
        features = maps.pop()
        for layer, norm, drop in zip(self.up, self.up_norms, self.drops, strict=False):
            skip = maps.pop()
            doubled = layer(relu(features), output_size=skip.shape[2:])
            features = torch.cat([drop(norm(doubled)), skip], dim=1)
        images: Tensor = self.up[-1](relu(features), output_size=source.shape[2:])
        return images.tanh()


def _layers(dropped: Sequence[int], there: int) -> Sequence[int]:
    if beyond := [level for level in dropped if level >= there]:
        raise UserError(
            f"'dropped' names layer {beyond[0]} of the way up, and the layers that may drop are 0 to {there - 1}: all "
            "but the last"
        )
    return dropped


def check_images(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """The shape (C, H, W). Raises `UserError` for data that are no images."""
    if len(shape) != 3:
        raise UserError(f"images are translated here, and these data have the shape {' x '.join(map(str, shape))}")
    return shape[0], shape[1], shape[2]


def check_sides(images: Tensor, least: int, why: str) -> None:
    """Raise `UserError` for images whose shorter side is below `least`."""
    height, width = images.shape[2:]
    if min(height, width) < least:
        raise UserError(
            f"images of {height} x {width} pixels are too small: {why} that each side needs {least} pixels at least"
        )


def _depth_for(shape: tuple[int, ...], depth: int | None) -> int:
    _, height, width = check_images(shape)
    most = min(height, width).bit_length() - 1
    if depth is None:
        depth = min(most, _DEEPEST)
    if not 2 <= depth <= most:
        raise UserError(
            f"a depth of {depth} needs sides of 2^{depth} = {2**depth} pixels, and at least 2; images of {height} x "
            f"{width} pixels allow 2 to {most}: set 'depth', or leave it out"
        )
    return depth
