"""The networks of the original paper's convolutional experiment on CIFAR-10; they ignore labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from ganlab import UserError
from ganlab.bounds import Count, Portion, Positive
from ganlab.contracts import Scores
from ganlab.nn import Conv2d, ConvTranspose2d, Dropout
from ganlab_gan.activations import Activation, Activations, Maxout, each_of
from ganlab_gan.perceptron import linear

Block = tuple[Count, Count, Count, Count, Count]
_BLOCKS: Sequence[Block] = ((8, 4, 32, 4, 2), (8, 3, 32, 4, 2), (5, 3, 192, 2, 2))
_CONVOLVED = 2  # linear pieces of a maxout unit in convolutions
_DENSE = 5  # and in the dense layer


class ConvolutionalGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, *shape): dense layers, and one transposed convolution of large strides.

    The defaults are the network for CIFAR-10: maps of 10x10, a kernel of 5 and a stride of 3 (Goodfellow et al., 2014).

    Args:
        shape: (channels, height, width) of the images.
        latent_size: numbers in a latent vector.
        hidden: units of the dense layers; the last one makes maps.
        activation: activation of the dense layers, one for all or one for each.
        maps: channels of these maps.
        kernel: side of the kernel of the transposed convolution.
        stride: stride of the transposed convolution.
        output: `linear`, as in the paper's experiment, or `tanh`, which keeps to [-1, 1].
        weight_range: the initial weights are uniform in plus and minus this, biases 0.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "latent_size": 5, "hidden": [6, 64], "maps": 4, "kernel": 4, "stride": 4, "activation": "relu"
    }  # fmt: skip

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 100,
        hidden: Sequence[Count] = (8000, 8000),
        activation: Activation | Activations = ("relu", "sigmoid"),
        maps: Count = 80,
        kernel: Count = 5,
        stride: Count = 3,
        output: Literal["linear", "tanh"] = "linear",
        weight_range: Positive = 0.05,
    ) -> None:
        super().__init__()
        start = _start(shape, kernel, stride)
        if not hidden or hidden[-1] != maps * math.prod(start):
            raise UserError(
                f"the last of the 'hidden' layers makes {maps} maps of {start[0]}x{start[1]}: it has to have "
                f"{maps * math.prod(start)} units, and 'hidden' is {list(hidden)}"
            )
        self.latent_size = latent_size
        layers: list[nn.Module] = []
        for (inputs, outputs), unit in zip(
            pairwise([latent_size, *hidden]), each_of(activation, len(hidden)), strict=True
        ):
            layers += [linear(inputs, outputs, weight_range), unit]
        last = ConvTranspose2d(maps, shape[0], kernel, stride, bias=False)
        nn.init.uniform_(last.weight, -weight_range, weight_range)
        self.layers = nn.Sequential(*layers, nn.Unflatten(1, (maps, *start)), last)
        self.bias = nn.Parameter(torch.zeros(shape))
        self.output = output

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents."""
        images: Tensor = self.layers(latents) + self.bias
        return images.tanh() if self.output == "tanh" else images


class ConvolutionalDiscriminator(nn.Module):
    """Images (N, *shape) to logits (N,): convolutions with maxout units and pooling, and a dense layer of such units.

    The defaults are the network for CIFAR-10 (Goodfellow et al., 2014). A convolution's units are the largest of 2
    linear ones, those of the dense layer of 5.

    Args:
        shape: (channels, height, width) of the images.
        blocks: a list for each convolution, [kernel, padding, channels, size of pooling, stride of pooling]; what is
            left at the border is pooled too.
        units: number of units of the dense layer.
        input_dropout: share of the pixels that are dropped in training.
        dropout: share of what later layers see that is dropped in training.
        weight_range: the initial weights are uniform in plus and minus this, biases 0.
    """

    example: ClassVar[Mapping[str, Any]] = {"blocks": [[3, 1, 4, 2, 2], [3, 1, 4, 2, 2]], "units": 4}

    def __init__(
        self,
        shape: tuple[int, ...],
        blocks: Sequence[Block] = _BLOCKS,
        units: Count = 500,
        input_dropout: Portion = 0.2,
        dropout: Portion = 0.5,
        weight_range: Positive = 0.005,
    ) -> None:
        super().__init__()
        if len(shape) != 3:
            raise UserError(f"'gan_convolutional' takes images, not examples of {math.prod(shape)} numbers; take 'mlp'")
        layers: list[nn.Module] = []
        channels, sides = shape[0], list(shape[1:])
        for place, (kernel, padding, width, pool, stride) in enumerate(blocks):
            convolution = Conv2d(channels, width * _CONVOLVED, kernel, padding=padding)
            nn.init.uniform_(convolution.weight, -weight_range, weight_range)
            nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]
            layers += [Dropout(dropout if place else input_dropout), convolution, Maxout(_CONVOLVED)]
            layers += [nn.MaxPool2d(pool, stride, ceil_mode=True)]
            sides = [_pooled(side + 2 * padding - kernel + 1, pool, stride) for side in sides]
            if min(sides) < 1:
                raise UserError(
                    f"the 'blocks' leave nothing of {shape[1]}x{shape[2]} pixels: give fewer, or smaller kernels; the "
                    "defaults are for 32x32"
                )
            channels = width
        dense = linear(channels * math.prod(sides), units * _DENSE, weight_range)
        self.layers = nn.Sequential(*layers, nn.Flatten(), Dropout(dropout), dense, Maxout(_DENSE), Dropout(dropout))
        self.last = linear(units, 1, weight_range)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits of images."""
        features: Tensor = self.layers(images)
        return Scores(logits=self.last(features).flatten(), features=(features,))


def _start(shape: tuple[int, ...], kernel: int, stride: int) -> tuple[int, int]:
    """The maps that a transposed convolution makes such images of."""
    if len(shape) != 3:
        raise UserError(f"'gan_convolutional' makes images, not examples of {math.prod(shape)} numbers; take 'mlp'")
    if any(side < kernel or (side - kernel) % stride for side in shape[1:]):
        raise UserError(
            f"a kernel of {kernel} and a stride of {stride} make no images of {shape[1]}x{shape[2]}: a side less "
            "'kernel' has to be a multiple of 'stride'; the defaults are for 32x32"
        )
    return (shape[1] - kernel) // stride + 1, (shape[2] - kernel) // stride + 1


def _pooled(side: int, pool: int, stride: int) -> int:
    """A side of maps behind a pooling that takes what is left at the border, but nothing that lies wholly outside."""
    if side < pool:
        return 0
    return -(-(side - pool) // stride) + 1
