"""The discriminator: the mirror image of the generator, and statistics of the batch at 4x4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from annotated_types import Ge
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer, Scores
from ganlab.games.growth import Stage
from ganlab.nn import AveragePool, ConditioningName, Projection, average_pool, conditioning_of
from ganlab.nn.minibatch import MinibatchStandardDeviation
from ganlab.nn.resampling import ResamplingConv2d
from ganlab_progressive.adaptive_noise import AdaptiveNoise
from ganlab_progressive.minibatch_discrimination import MinibatchDiscrimination
from ganlab_progressive.parts import SMALLEST, ActivationName, LayerStyle, resolutions_up_to, width_at


class ProgressiveDiscriminator(nn.Module):
    """Images (N, channels, R, R) of a stage's resolution R to logits (N,) (Karras et al., 2018).

    For data with classes its last layer makes the scores of an auxiliary classifier as well. A 1x1 convolution of each
    resolution takes images in; each block has two 3x3 convolutions and halves the maps by averaging. With
    the defaults and 1024-pixel RGB images there are 23,087,249 parameters.

    Args:
        resolution: side of the full images, a power of two from 4.
        channels: channels of the images.
        classes: number of classes; 0 for data without labels.
        fmap_base: Maps of the side r have fmap_base / (r / 2)^fmap_decay channels, but at most fmap_max.
        fmap_decay: The power of half the side in the rule of `fmap_base`.
        fmap_max: Largest number of channels.
        conditional: use the labels where the data have them.
        equalized: scale weights when they are used instead of when they are drawn.
        minibatch: how a batch is seen as a whole: by the standard deviation of features, by minibatch discrimination
            (Salimans et al., 2016), or not at all.
        stddev_group: images whose standard deviation is taken; null for the whole batch.
        kernels: Number of kernels of minibatch discrimination.
        normalizer: Its activations stand between the blocks' layers and their rectifiers, its weights in all.
        activation: rectifier of hidden layers.
        fused: average before the rectifier, in one operation with the convolution, as the authors' later code; faster,
            and another network.
        noise: coefficient of multiplicative noise before hidden layers, which grows as fakes pass for reals; 0.2 in
            the published game with least squares.
        conditioning: how labels enter: a `classifier` of the classes, `projection`, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `classifier`, as published.
    """

    example: ClassVar[Mapping[str, Any]] = {"fmap_base": 32, "fmap_max": 8}

    def __init__(
        self,
        resolution: int,
        channels: int,
        classes: int = 0,
        fmap_base: Count = 8192,
        fmap_decay: Annotated[float, Ge(0)] = 1.0,
        fmap_max: Count = 512,
        conditional: bool = True,
        equalized: bool = True,
        minibatch: Literal["stddev", "discrimination", "none"] = "stddev",
        stddev_group: Count | None = 4,
        kernels: Count = 100,
        normalizer: Normalizer | None = None,
        activation: ActivationName = "leaky_relu",
        fused: bool = False,
        noise: Annotated[float, Ge(0)] = 0.0,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        self.resolution = resolution
        self.resolutions = resolutions_up_to(resolution)
        self.conditioning = conditioning_of(conditioning, "classifier", classes, conditional)
        self.noise = AdaptiveNoise(noise) if noise else None
        style = LayerStyle(equalized, normalizer, activation, noise=self.noise)
        widths = {r: width_at(r, fmap_base, fmap_decay, fmap_max) for r in self.resolutions}
        inputs = channels + self.conditioning.channels
        self.from_rgb = nn.ModuleDict({str(r): style.from_rgb(inputs, widths[r]) for r in reversed(self.resolutions)})
        self.blocks = nn.ModuleDict(
            {
                str(r): nn.Sequential(
                    style.convolution(widths[r], widths[r]),
                    *_halving(style, widths[r], widths[r // 2], fused),
                )
                for r in reversed(self.resolutions[1:])
            }
        )
        self.head = Head(widths[SMALLEST], self.conditioning.outputs, style, minibatch, stddev_group, kernels)
        self.projection = None
        if self.conditioning.projects:
            self.projection = style.weighted(Projection(classes, self.head.features), gain=1)

    def forward(self, images: Tensor, labels: Tensor | None = None, stage: Stage | None = None) -> Scores:
        """What is thought of images of a stage, or of the full network; only the layers that the stage needs run."""
        stage = stage or Stage(self.resolution)
        images = self.conditioning.joined(images, labels)
        features: Tensor = self.from_rgb[str(stage.resolution)](images)
        for r in reversed(self.resolutions[1 : self.resolutions.index(stage.resolution) + 1]):
            features = self.blocks[str(r)](features)
            if r == stage.resolution and stage.fading:
                before = self.from_rgb[str(r // 2)](average_pool(images))
                features = torch.lerp(before, features, stage.blend)
        outputs, seen = self.head(features)
        if self.projection is not None:
            outputs = outputs + self.projection(seen, labels)
        return self.conditioning.scores(outputs, seen, labels)


def _halving(style: LayerStyle, inputs: int, outputs: int, fused: bool) -> list[nn.Module]:
    if fused:
        return [style.layer(ResamplingConv2d(inputs, outputs, 3, "down"), outputs)]
    return [style.convolution(inputs, outputs), AveragePool()]


class Head(nn.Module):
    """4x4 maps to scores (N, outputs) and the features that they are linear in.

    Statistics of the batch enter before or after its hidden layers.
    """

    def __init__(
        self, width: int, outputs: int, style: LayerStyle, minibatch: str, group: int | None, kernels: int
    ) -> None:
        super().__init__()
        has_stddev, discriminates = minibatch == "stddev", minibatch == "discrimination"
        self.statistics = MinibatchStandardDeviation(group) if has_stddev else None
        self.convolution = style.convolution(width + has_stddev, width)
        self.dense = style.convolution(width, width, SMALLEST, padding=0)
        self.discrimination = MinibatchDiscrimination(width, kernels) if discriminates else None
        self.features = width + (kernels if discriminates else 0)
        self.last = style.weighted(nn.Linear(self.features, outputs), gain=1)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Scores and last features of maps (N, width, 4, 4)."""
        if self.statistics is not None:
            features = self.statistics(features)
        features = self.dense(self.convolution(features)).flatten(1)
        if self.discrimination is not None:
            features = self.discrimination(features)
        return self.last(features), features
