"""StyleGAN2's discriminator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor, nn

from ganlab.bounds import Count, Natural, Positive
from ganlab.contracts import Scores
from ganlab.games.growth import Stage
from ganlab.nn import BiasActivation, ConditioningName, average_pool, conditioning_of, equalized, scaled_product
from ganlab.nn.minibatch import MinibatchStandardDeviation
from ganlab_style.filters import check_growing, resampler_of
from ganlab_style.layers import HALF, Convolution, Shortcut
from ganlab_style.levels import Level, index_of, levels_of
from ganlab_style.mapping import MappingNetwork
from ganlab_style.stylegan2_generator import Connections


class StyleGAN2Discriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,) (Karras et al., 2020).

    Each level has two 3x3 convolutions, of which the second halves the features after a filter. Where labels enter by
    projection, the last layer's output is projected on a vector that a mapping network makes of the label. With the
    defaults and 1024-pixel RGB images there are 29,012,513 parameters: configuration F.

    Args:
        shape: Shape of an image.
        classes: number of classes; 0 for data without labels.
        connections: A block's input joins its output (`residual`), or each level takes in the image at its size
            (`skip`), or neither (`original`).
        channel_base: maps of the larger side s have channel_base / s channels, but at most channel_max.
        channel_max: largest number of channels.
        mapping_layers: dense layers between a label and the vector.
        mapping_lr_multiplier: Multiplier of the learning rate of these layers.
        conditional: use the labels where the data have them.
        stddev_group: Images whose standard deviation is appended before the last convolution; null for the whole batch,
            0 for none.
        filter: taps along one axis of the filter that reduces.
        growing: have layers that take in images at every level, as growth needs, for `original` connections.
        clamp: Largest absolute value of features, for training in low precision.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`.
    """

    example: ClassVar[Mapping[str, Any]] = {"channel_base": 128, "channel_max": 8}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        connections: Connections = "residual",
        channel_base: Count = 32768,
        channel_max: Count = 512,
        mapping_layers: Annotated[int, Ge(0), Le(100)] = 8,
        mapping_lr_multiplier: Positive = 0.01,
        conditional: bool = True,
        stddev_group: Natural | None = 4,
        filter: Sequence[Annotated[float, Gt(0)]] = (1.0, 3.0, 3.0, 1.0),
        growing: bool = False,
        clamp: Positive | None = None,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        check_growing(growing, connections)
        levels = levels_of(shape, channel_base, channel_max)
        self.levels = levels
        self.growing = growing
        self.connections = connections
        self.conditioning = conditioning_of(conditioning, "projection", classes, conditional)
        self.resampler = resampler_of(filter, "filter")
        shown = levels if growing or connections == "skip" else levels[-1:]
        inputs = shape[0] + self.conditioning.channels
        self.from_image = nn.ModuleDict(
            {level.name: Convolution(inputs, level.channels, 1, clamp=clamp) for level in reversed(shown)}
        )
        self.blocks, self.shortcuts = nn.ModuleDict(), nn.ModuleDict()
        residual = connections == "residual"
        for fine, coarse in zip(levels[:0:-1], levels[-2::-1], strict=True):
            self.blocks[fine.name] = nn.Sequential(
                Convolution(fine.channels, fine.channels, clamp=clamp),
                Convolution(
                    fine.channels,
                    coarse.channels,
                    resampler=self.resampler,
                    clamp=clamp,
                    gain=HALF if residual else 1.0,
                ),
            )
            if residual:
                self.shortcuts[fine.name] = Shortcut(fine.channels, coarse.channels, self.resampler, enlarges=False)
        projects = self.conditioning.projects
        outputs = levels[0].channels if projects else self.conditioning.outputs
        self.head = Head(levels[0], stddev_group, outputs, clamp)
        self.mapping = None
        if projects:
            self.mapping = MappingNetwork(0, classes, levels[0].channels, mapping_layers, mapping_lr_multiplier)

    @property
    def grows(self) -> bool:
        """Whether there are layers for images of every level, none of which needs the others."""
        return self.growing

    def forward(self, images: Tensor, labels: Tensor | None = None, stage: Stage | None = None) -> Scores:
        """What is thought of images of a stage, or of the full network; only the layers that the stage needs run."""
        top = index_of(self.levels, stage)
        images = self.conditioning.joined(images, labels)
        features: Tensor = self.from_image[self.levels[top].name](images)
        for index in range(top, 0, -1):
            features = self._block(self.levels[index], features)
            below = self.levels[index - 1].name
            if self.connections == "skip":
                images = self.resampler.down(images)
                features = features + self.from_image[below](images)
            elif stage is not None and stage.fading and index == top:
                features = torch.lerp(self.from_image[below](average_pool(images)), features, stage.blend)
        outputs, seen = self.head(features)
        if self.mapping is not None:
            outputs = scaled_product(outputs, self.mapping(None, labels))
        return self.conditioning.scores(outputs, seen, labels)

    def _block(self, level: Level, features: Tensor) -> Tensor:
        reduced: Tensor = self.blocks[level.name](features)
        return reduced + self.shortcuts[level.name](features) if level.name in self.shortcuts else reduced


class Head(nn.Module):
    """Maps of the first level to (N, outputs), and the last layer's input."""

    def __init__(self, level: Level, group: int | None, outputs: int, clamp: float | None) -> None:
        super().__init__()
        width = level.channels
        self.statistics = None if group == 0 else MinibatchStandardDeviation(group)
        self.convolution = Convolution(width + (group != 0), width, clamp=clamp)
        self.dense = equalized(nn.Linear(width * level.height * level.width, width, bias=False), gain=1.0)
        self.activation = BiasActivation(width)
        self.last = equalized(nn.Linear(width, outputs), gain=1.0)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers (N, outputs) and last features of maps (N, C, H, W)."""
        if self.statistics is not None:
            features = self.statistics(features)
        features = self.activation(self.dense(self.convolution(features).flatten(1)))
        return self.last(features), features
