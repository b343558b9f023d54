"""The discriminator of pix2pixHD and SPADE: several that judge patches, of the image and of smaller versions of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganlab import InputFacts, Scores, UserError
from ganlab.bounds import Count
from ganlab.contracts import Normalizer
from ganlab.nn import CombinedNormalizer, Conv2d, LeakyReLU
from ganlab.nn.conditions import condition_channels
from ganlab_layers.glorot import initialise, initialised
from ganlab_layers.groups import InstanceNormalizer
from ganlab_layers.spectral import SpectralNormalizer

_MOST = 8  # times the width of the first layer
_KERNEL, _PADDING = 4, 2


class MultiscaleDiscriminator(nn.Module):
    """Images (N, C, H, W), beside what they were made from, to logits of patches at several scales.

    Each scale has networks of its own, of 4x4 convolutions that halve the maps, but for the last two, and sees the
    image at half the size of the scale before (Wang et al., 2018; Park et al., 2019). Images whose sides are 2, 4, ...
    times smaller than those of `shape`, as of games that grow, are judged by the coarser networks alone. `Scores` have
    the logits of the finest scale, those of others as `further_logits`, and the features of all layers, those of the
    finest scale first, for `layer_matching`. The defaults are the published ones: 5,601,410 parameters for Cityscapes.

    Args:
        shape: (channels, height, width) of an image.
        inputs: facts of what images are made from.
        scales: how many sizes of an image are judged.
        layers: convolutions of a scale in front of the one that makes the logits.
        width: channels of the first layer; others have up to 8 times as many.
        normalizer: behind all layers but the first and the last, whose weights are left alone as well; null for
            instance norm without gain and bias, and spectral norm.
        conditional: look at the inputs as well; without, images are judged alone.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "layers": 2}

    def __init__(
        self,
        shape: tuple[int, ...],
        inputs: Mapping[str, InputFacts] | None = None,
        scales: Annotated[int, Ge(1), Le(20)] = 2,
        layers: Annotated[int, Ge(2), Le(100)] = 4,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        if len(shape) != 3:
            raise UserError("multiscale judges images, and the examples of these data are none: take another one")
        normalizer = normalizer or CombinedNormalizer([SpectralNormalizer(), InstanceNormalizer(affine=False)])
        self.conditional = bool(inputs) and conditional
        channels = shape[0] + (condition_channels(inputs, shape) if inputs and self.conditional else 0)
        widths = [channels, *(width * min(2**index, _MOST) for index in range(layers))]
        self.scales = nn.ModuleList(_layers(widths, normalizer) for _ in range(scales))
        self.sides = shape[1:]
        initialise(self)

    def forward(self, images: Tensor, labels: Tensor | None = None, source: Tensor | None = None) -> Scores:
        """What is thought of each patch of images, which were made from `source` (N, channels, H, W)."""
        if self.conditional and source is None:
            raise UserError(
                "this discriminator sees what images were made from, which its game does not show it: 'conditional: "
                "false', or an architecture that does, such as 'spade'"
            )
        shown = torch.cat([images, source], dim=1) if self.conditional and source is not None else images
        logits: list[Tensor] = []
        features: list[Tensor] = []
        for index, layers in enumerate(self.scales[self._too_fine(images) :]):  # type: ignore[arg-type]
            if index:
                shown = avg_pool2d(shown, 3, 2, 1, count_include_pad=False)
            seen = shown
            for layer in layers[:-1]:  # type: ignore[index]
                seen = layer(seen)
                features.append(seen)
            logits.append(layers[-1](seen).squeeze(1))  # type: ignore[index]
        return Scores(logits=logits[0], further_logits=tuple(logits[1:]), features=tuple(features))

    def _too_fine(self, images: Tensor) -> int:
        """How many of the finest networks are for larger images than these."""
        height, width = images.shape[-2:]
        halvings = max(1, self.sides[1] // width).bit_length() - 1
        exact = self.sides == (height << halvings, width << halvings)
        return min(halvings, len(self.scales) - 1) if exact else 0


def _layers(widths: list[int], normalizer: Normalizer) -> nn.ModuleList:
    """The layers of a scale."""
    bias = not getattr(normalizer, "centers", False)
    made = [nn.Sequential(Conv2d(widths[0], widths[1], _KERNEL, 2, _PADDING), LeakyReLU(0.2))]
    for index, (inputs, outputs) in enumerate(pairwise(widths[1:]), start=2):
        stride = 2 if index < len(widths) - 1 else 1
        convolution = initialised(Conv2d(inputs, outputs, _KERNEL, stride, _PADDING, bias=bias))
        norm = normalizer.activation(outputs)
        made.append(nn.Sequential(normalizer.weight(convolution), norm, LeakyReLU(0.2)))
    return nn.ModuleList([*made, Conv2d(widths[-1], 1, _KERNEL, 1, _PADDING)])
