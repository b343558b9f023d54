"""A discriminator that takes in images of every size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Gt
from torch import Tensor, nn

from ganlab.bounds import Count, Natural
from ganlab.contracts import Scores
from ganlab.nn import ConditioningName, Conv2d, Resampler, conditioning_of, equalized
from ganlab.nn.minibatch import MinibatchStandardDeviation
from ganlab.nn.resampling import ResamplingConv2d
from ganlab_style.filters import smoother_of
from ganlab_style.levels import Level, levels_of
from ganlab_style.stylegan_discriminator import Head, Layer, convolution

CombineName = Literal["simple", "lin_cat", "cat_lin"]


class MultiScaleDiscriminator(nn.Module):
    """Images of all sizes, the coarsest first, to logits (N,) (Karnewar and Wang, 2020, "MSG-GAN").

    StyleGAN's discriminator, in which the features of every level but the finest are combined with the images of its
    size. With the defaults, the authors' for StyleGAN, and 1024-pixel RGB images there are 24,238,625 parameters.

    Args:
        shape: Shape of an image of the finest level.
        classes: number of classes; 0 for data without labels.
        combine: How features meet images: joined (`simple`); joined with a linear map of the images, each half of the
            channels (`lin_cat`); or joined and mapped to the level's channels (`cat_lin`). Linear maps are 1x1
            convolutions without a rectifier.
        channel_base: maps of the larger side s have channel_base / s channels, but at most channel_max.
        channel_max: largest number of channels.
        conditional: use the labels where the data have them.
        stddev_group: Images whose standard deviation is appended; null for the whole batch, 0 for none.
        stddev: append it before the first convolution of `every` level, or of the `coarsest` only.
        blur: Taps along one axis of the filter before each reduction; null for none.
        conditioning: how labels enter: a logit for each class (`scores`), `projection`, a `classifier` of the classes,
            `concatenated` to the image of the finest level or `none`; null for `scores`.
    """

    example: ClassVar[Mapping[str, Any]] = {"channel_base": 128, "channel_max": 8}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        combine: CombineName = "cat_lin",
        channel_base: Count = 16384,
        channel_max: Count = 512,
        conditional: bool = True,
        stddev_group: Natural | None = 4,
        stddev: Literal["every", "coarsest"] = "every",
        blur: Sequence[Annotated[float, Gt(0)]] | None = (1.0, 2.0, 1.0),
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        levels = levels_of(shape, channel_base, channel_max)
        self.levels = levels
        self.conditioning = conditioning_of(conditioning, "scores", classes, conditional)
        smoother = smoother_of(blur, "blur")
        group = stddev_group if stddev == "every" else 0
        top = levels[-1]
        self.from_image = Layer(Conv2d(shape[0] + self.conditioning.channels, top.channels, 1, bias=False))
        self.combinations = nn.ModuleDict(
            {level.name: Combination(combine, level.channels, shape[0]) for level in levels[-2::-1]}
        )
        self.blocks = nn.ModuleDict()
        inputs = top.channels
        for fine, coarse in zip(levels[:0:-1], levels[-2::-1], strict=True):
            combination: Combination = self.combinations[coarse.name]  # type: ignore[assignment]
            self.blocks[fine.name] = _block(fine, inputs, combination.features, group, smoother)
            inputs = combination.outputs
        self.head = Head(levels[0], stddev_group, self.conditioning, inputs)

    def forward(self, images: Sequence[Tensor], labels: Tensor | None = None) -> Scores:
        """What is thought of images of all sizes together."""
        features = self.from_image(self.conditioning.joined(images[-1], labels))
        for index in range(len(self.levels) - 1, 0, -1):
            features = self.blocks[self.levels[index].name](features)
            features = self.combinations[self.levels[index - 1].name](features, images[index - 1])
        return self.head.scores(features, labels)


class Combination(nn.Module):
    """Features (N, features, H, W) with images (N, C, H, W) of their size, to features (N, outputs, H, W)."""

    def __init__(self, combine: CombineName, channels: int, image_channels: int) -> None:
        super().__init__()
        self.described_as = f"Combine, {combine}"
        self.combine = combine
        self.features, self.outputs = channels, channels
        self.linear: nn.Module | None = None
        if combine == "simple":
            self.outputs = channels + image_channels
        elif combine == "cat_lin":
            self.linear = equalized(Conv2d(channels + image_channels, channels, 1, bias=False))
        else:
            of_images = max(1, channels // 2)
            self.features = max(1, channels - of_images)
            self.outputs = self.features + of_images
            self.linear = equalized(_unbiased(Conv2d(image_channels, of_images, 1)))

    def forward(self, features: Tensor, images: Tensor) -> Tensor:
        """The features with what the images add."""
        if self.linear is None:
            return torch.cat([features, images], dim=1)
        if self.combine == "lin_cat":
            return torch.cat([features, self.linear(images)], dim=1)
        result: Tensor = self.linear(torch.cat([features, images], dim=1))
        return result


def _block(level: Level, inputs: int, outputs: int, group: int | None, smoother: Resampler | None) -> nn.Sequential:
    statistics = [] if group == 0 else [MinibatchStandardDeviation(group)]
    return nn.Sequential(
        *statistics,
        convolution(inputs + len(statistics), level.channels),
        Layer(ResamplingConv2d(level.channels, outputs, 3, "down", bias=False), smoother),
    )


def _unbiased(layer: Conv2d) -> Conv2d:
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)
    return layer
