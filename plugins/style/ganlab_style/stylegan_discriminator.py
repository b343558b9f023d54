"""StyleGAN's discriminator: the progressive one, with a filter before each reduction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Gt
from torch import Tensor, nn

from ganlab.bounds import Count, Natural
from ganlab.contracts import Scores
from ganlab.games.growth import Stage
from ganlab.nn import (
    BiasActivation,
    Conditioning,
    ConditioningName,
    Conv2d,
    Projection,
    Resampler,
    average_pool,
    conditioning_of,
    equalized,
)
from ganlab.nn.minibatch import MinibatchStandardDeviation
from ganlab.nn.resampling import ResamplingConv2d
from ganlab_style.filters import smoother_of
from ganlab_style.levels import Level, index_of, levels_of


class StyleGANDiscriminator(nn.Module):
    """Images (N, C, H, W) of a stage to logits (N,) (Karras et al., 2019).

    With the defaults and 1024-pixel RGB images there are 23,087,249 parameters, with the 1x1 convolutions that take in
    images of all levels.

    Args:
        shape: Shape of an image.
        classes: number of classes; 0 for data without labels.
        channel_base: maps of the larger side s have channel_base / s channels, but at most channel_max.
        channel_max: largest number of channels.
        conditional: use the labels where the data have them.
        stddev_group: Images whose standard deviation is appended before the last convolution; null for the whole batch,
            0 for none.
        blur: Taps along one axis of the filter before each reduction; null for none.
        conditioning: how labels enter: a logit for each class (`scores`), `projection`, a `classifier` of the classes,
            `concatenated` to the image or `none`; null for `scores`.
    """

    grows = True

    example: ClassVar[Mapping[str, Any]] = {"channel_base": 128, "channel_max": 8}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        channel_base: Count = 16384,
        channel_max: Count = 512,
        conditional: bool = True,
        stddev_group: Natural | None = 4,
        blur: Sequence[Annotated[float, Gt(0)]] | None = (1.0, 2.0, 1.0),
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        levels = levels_of(shape, channel_base, channel_max)
        self.levels = levels
        self.conditioning = conditioning_of(conditioning, "scores", classes, conditional)
        smoother = smoother_of(blur, "blur")
        inputs = shape[0] + self.conditioning.channels
        self.from_image = nn.ModuleDict(
            {level.name: Layer(Conv2d(inputs, level.channels, 1, bias=False)) for level in reversed(levels)}
        )
        self.blocks = nn.ModuleDict()
        for fine, coarse in zip(levels[:0:-1], levels[-2::-1], strict=True):
            self.blocks[fine.name] = nn.Sequential(
                convolution(fine.channels, fine.channels),
                Layer(ResamplingConv2d(fine.channels, coarse.channels, 3, "down", bias=False), smoother),
            )
        self.head = Head(levels[0], stddev_group, self.conditioning)

    def forward(self, images: Tensor, labels: Tensor | None = None, stage: Stage | None = None) -> Scores:
        """What is thought of images of a stage, or of the full network; only the layers that the stage needs run."""
        top = index_of(self.levels, stage)
        images = self.conditioning.joined(images, labels)
        features: Tensor = self.from_image[self.levels[top].name](images)
        for index in range(top, 0, -1):
            features = self.blocks[self.levels[index].name](features)
            if stage is not None and stage.fading and index == top:
                before = self.from_image[self.levels[index - 1].name](average_pool(images))
                features = torch.lerp(before, features, stage.blend)
        return self.head.scores(features, labels)


class Layer(nn.Module):
    """A convolution with an equalized learning rate, after a filter if there is one; bias and rectifier."""

    def __init__(self, convolution: Conv2d, smoother: Resampler | None = None) -> None:
        super().__init__()
        side = convolution.kernel_size[0]
        self.described_as = f"Conv {side}x{side}" + (", Downsample" if hasattr(convolution, "resample") else "")
        self.activation_name = "LReLU"
        self.smoother = smoother
        self.convolution = equalized(convolution)
        self.activation = BiasActivation(convolution.out_channels, gain=1.0)

    def forward(self, features: Tensor) -> Tensor:
        """Features of the same or, where the convolution reduces, of half the size."""
        features = features if self.smoother is None else self.smoother.smooth(features)
        result: Tensor = self.activation(self.convolution(features))
        return result


def convolution(inputs: int, outputs: int) -> Layer:
    """A 3x3 convolution with what follows it."""
    return Layer(Conv2d(inputs, outputs, 3, padding=1, bias=False))


class Head(nn.Module):
    """Maps of the first level, with its channels or as many as `inputs`, to what the conditioning ends with."""

    def __init__(self, level: Level, group: int | None, conditioning: Conditioning, inputs: int | None = None) -> None:
        super().__init__()
        self.conditioning = conditioning
        width = level.channels
        self.statistics = None if group == 0 else MinibatchStandardDeviation(group)
        self.convolution = convolution((inputs or width) + (group != 0), width)
        self.dense = equalized(nn.Linear(width * level.height * level.width, width, bias=False), math.sqrt(2))
        self.activation = BiasActivation(width, gain=1.0)
        self.last = equalized(nn.Linear(width, conditioning.outputs), gain=1.0)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]
        self.projection = None
        if conditioning.projects:
            self.projection = equalized(Projection(conditioning.classes, width), gain=1.0)

    def scores(self, features: Tensor, labels: Tensor | None) -> Scores:
        """What is thought of images with maps (N, C, H, W)."""
        outputs, seen = self(features)
        if self.projection is not None:
            outputs = outputs + self.projection(seen, labels)
        return self.conditioning.scores(outputs, seen, labels)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """All scores and last features of maps (N, C, H, W)."""
        if self.statistics is not None:
            features = self.statistics(features)
        features = self.activation(self.dense(self.convolution(features).flatten(1)))
        return self.last(features), features
