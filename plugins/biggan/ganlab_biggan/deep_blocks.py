"""The bottleneck blocks of BigGAN-deep."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganlab.nn import average_pool
from ganlab_biggan.making import Making

_NARROWER = 4


class DeepGeneratorBlock(nn.Module):
    """1x1 to a quarter of the width, two 3x3, 1x1; norm and rectifier before each, and maps enlarged before the 3x3s.

    Beside it, the shortcut has no weights: it drops the last channels and repeats pixels.
    """

    def __init__(self, inputs: int, outputs: int, condition: int | None, making: Making, *, enlarges: bool) -> None:
        super().__init__()
        inside = max(1, inputs // _NARROWER)
        self.outputs, self.enlarges = outputs, enlarges
        self.norms = nn.ModuleList(making.activation(width, condition) for width in (inputs, inside, inside, inside))
        self.convolutions = nn.ModuleList(
            [
                making.convolution(inputs, inside, 1),
                making.convolution(inside, inside, 3, "up" if enlarges else None),
                making.convolution(inside, inside, 3),
                making.convolution(inside, outputs, 1),
            ]
        )

    def forward(self, features: Tensor, vector: Tensor | None = None) -> Tensor:
        """Features (N, inputs, H, W) to (N, outputs, H, W), or twice the size."""
        inside = features
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            inside = convolution(norm(inside, vector))
        kept = features[:, : self.outputs]
        result: Tensor = inside + (interpolate(kept, scale_factor=2.0, mode="nearest") if self.enlarges else kept)
        return result


class DeepDiscriminatorBlock(nn.Module):
    """1x1 to a quarter of the outputs, two 3x3, 1x1; a rectifier before each, and maps reduced before the last.

    Beside it, the shortcut keeps its channels; a 1x1 convolution makes those that are missing.
    """

    def __init__(self, inputs: int, outputs: int, making: Making, *, halves: bool) -> None:
        super().__init__()
        inside = max(1, outputs // _NARROWER)
        self.halves = halves
        self.layers = nn.Sequential(
            making.rectifier(),
            making.convolution(inputs, inside, 1),
            making.rectifier(),
            making.convolution(inside, inside, 3),
            making.rectifier(),
            making.convolution(inside, inside, 3),
            making.rectifier(),
            making.convolution(inside, outputs, 1, "down" if halves else None),
        )
        self.missing = making.convolution(inputs, outputs - inputs, 1) if outputs > inputs else None

    def forward(self, features: Tensor) -> Tensor:
        """Features (N, inputs, H, W) to (N, outputs, H, W), or half the size."""
        beside = average_pool(features) if self.halves else features
        if self.missing is not None:
            beside = torch.cat([beside, self.missing(beside)], dim=1)
        result: Tensor = self.layers(features) + beside
        return result
