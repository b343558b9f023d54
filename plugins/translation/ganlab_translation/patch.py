"""The discriminator of pix2pix and CycleGAN, which judges patches of an image."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
from ganlab_layers.groups import InstanceNormalizer
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer, Scores
from ganlab.errors import UserError
from ganlab.facts import InputFacts
from ganlab.nn import Conv2d, LeakyReLU
from ganlab.nn.conditions import condition_channels
from ganlab.nn.initialisation import activation, convolution, has_bias
from ganlab_translation.unet import check_images

PatchSize = Literal[1, 16, 34, 70, 142, 286]
_HALVINGS = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
_MOST = 8  # times the width of the first layer


class PatchDiscriminator(nn.Module):
    """Images (N, C, H, W), beside what they were made from, to logits (N, h, w) of patches that overlap.

    4x4 convolutions that halve the maps, two that do not, leaky rectifiers, and a norm behind all but the first and the
    last; `patch: 1` has 1x1 convolutions instead and judges pixels (Isola et al., 2017, appendix 6.1.2; Zhu et al.,
    2017). The features of all layers are those of `Scores`. With the defaults and RGB images in and out there are
    2,768,705 parameters, as many as published; CycleGAN's, with `bias: true` and a norm without gains, has 2,764,737.

    Args:
        shape: (channels, height, width) of an image.
        inputs: facts of what images are made from.
        patch: side of a patch in pixels: 70 as published for most data, 1, 16 or 286 (the whole image) in the ablation.
        width: channels of the first layer; others have up to 8 times as many.
        normalizer: null for instance norm, which is batch norm for batches of one image, as published.
        conditional: look at the inputs as well; without, images are judged alone.
        bias: give every layer a bias, also where a norm takes it away again.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 2, "patch": 16}

    def __init__(
        self,
        shape: tuple[int, ...],
        inputs: Mapping[str, InputFacts] | None = None,
        patch: PatchSize = 70,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        bias: bool = False,
    ) -> None:
        super().__init__()
        normalizer = normalizer or InstanceNormalizer()
        self.conditional = bool(inputs) and conditional
        channels = check_images(shape)[0]
        if inputs and self.conditional:
            channels += condition_channels(inputs, shape)
        kernels, strides, widths = _plan(patch, width)
        _check_size(shape, patch, kernels, strides)
        layers = []
        plan = zip(pairwise([channels, *widths]), kernels, strides, strict=True)
        for place, ((before, after), kernel, stride) in enumerate(plan):
            ends = place in (0, len(widths) - 1)
            biased = ends or has_bias(normalizer, bias)
            made: list[nn.Module] = [
                convolution(Conv2d(before, after, kernel, stride, kernel // 4, bias=biased), normalizer)
            ]
            made += [] if ends else [activation(after, normalizer)]
            made += [LeakyReLU(0.2)] if place < len(widths) - 1 else []
            layers.append(nn.Sequential(*made))
        self.layers = nn.ModuleList(layers)

    def forward(self, images: Tensor, labels: Tensor | None = None, source: Tensor | None = None) -> Scores:
        """What is thought of each patch of images, which were made from `source` (N, channels, H, W)."""
        if self.conditional and source is None:
            raise UserError(
                "this discriminator sees what images were made from, which its game does not show it: 'conditional: "
                "false', or the architecture 'pix2pix'"
            )
        pair = torch.cat([images, source], dim=1) if self.conditional and source is not None else images
        features = [pair]
        for layer in self.layers:
            features.append(layer(features[-1]))
        return Scores(logits=features[-1].squeeze(1), features=features[1:-1])


def _plan(patch: int, width: int) -> tuple[list[int], list[int], list[int]]:
    """Kernels, strides and channels of all layers."""
    if patch == 1:
        return [1, 1, 1], [1, 1, 1], [width, 2 * width, 1]
    halvings = _HALVINGS[patch]
    widths = [width * min(2**level, _MOST) for level in range(halvings + 1)]
    return [4] * (halvings + 2), [2] * halvings + [1, 1], [*widths, 1]


def _check_size(shape: tuple[int, ...], patch: int, kernels: list[int], strides: list[int]) -> None:
    for side in shape[1:]:
        left = side
        for kernel, stride in zip(kernels, strides, strict=True):
            left = (left + 2 * (kernel // 4) - kernel) // stride + 1
        if left < 1:
            raise UserError(
                f"images of {shape[1]} x {shape[2]} pixels are too small for patches of {patch}: take a smaller 'patch'"
            )
