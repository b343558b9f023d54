"""A generator and a discriminator of residual blocks, which the networks of this family are."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganlab.contracts import Scores
from ganlab.nn import Conditioning
from ganlab_biggan.attention import SelfAttention
from ganlab_biggan.conditions import Conditions
from ganlab_biggan.making import Making
from ganlab_biggan.plans import Plan, sizes_of_attention

GeneratorStage = Callable[[int, int, int | None, Making], list[nn.Module]]
"""The blocks between maps of one size and of twice that: of inputs, outputs, size of the condition."""

DiscriminatorStage = Callable[[int, int, bool, bool], list[nn.Module]]
"""The blocks of a stage: of inputs, outputs, whether maps are halved, whether it is the first."""


class ResidualGenerator(nn.Module):
    """Latents (N, latent_size) and labels to images (N, C, H, W) in [-1, 1].

    A linear layer makes the smallest maps, each stage doubles them, and a normalization, a rectifier and a 3x3
    convolution end it. Labels are whole numbers (N,), or weights (N, classes) for a mixture of classes.
    """

    blends_labels: ClassVar[bool] = True

    def __init__(
        self,
        shape: Sequence[int],
        plan: Plan,
        conditions: Conditions,
        stage: GeneratorStage,
        making: Making,
        attention: Sequence[int] | None,
        usual: int | None,
    ) -> None:
        super().__init__()
        self.latent_size, self.classes, self.smallest = conditions.latent_size, conditions.classes, plan.smallest
        self.conditions = conditions
        self.first = making.linear(conditions.first, plan.widths[0] * math.prod(plan.smallest))
        doublings = range(1, len(plan.widths))
        sides = [max(plan.smallest) << doubling for doubling in doublings]
        attended = sizes_of_attention(attention, sides, usual)
        self.stages = nn.ModuleList(
            nn.ModuleList(stage(*plan.widths[index - 1 : index + 1], conditions.inside, making)) for index in doublings
        )
        self.attention = nn.ModuleDict()
        for side, width in zip(sides, plan.widths[1:], strict=True):
            if side in attended:
                self.attention[str(side)] = SelfAttention(width, making)
        self.norm = making.activation(plan.widths[-1])
        self.last = making.convolution(plan.widths[-1], shape[0], 3, in_block=False)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents and labels."""
        first, vectors = self.conditions(latents, labels)
        features: Tensor = self.first(first).unflatten(1, (-1, *self.smallest))
        of_blocks = iter(vectors)
        for stage in self.stages:
            for block in stage:  # type: ignore[attr-defined]
                features = block(features, next(of_blocks))
            side = str(max(features.shape[2:]))
            if side in self.attention:
                features = self.attention[side](features)
        images: Tensor = torch.tanh(self.last(self.norm(features)))
        return images


class ResidualDiscriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,).

    Features are summed over the pixels of the last maps; a linear layer makes a logit of them, and labels enter as
    `conditioning` says.
    """

    def __init__(
        self,
        shape: Sequence[int],
        plan: Plan,
        halvings: int,
        stem: nn.Module | None,
        stage: DiscriminatorStage,
        making: Making,
        conditioning: Conditioning,
        attention: Sequence[int] | None,
        usual: int | None,
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        widths = plan.widths if stem is not None else [shape[0] + conditioning.channels, *plan.widths]
        count = len(widths) - 1
        sides = [max(plan.smallest) << max(0, halvings - index - 1) for index in range(count)]
        attended = sizes_of_attention(attention, sides, usual)
        layers: list[nn.Module] = [] if stem is None else [stem]
        for index, side in enumerate(sides):
            layers += stage(widths[index], widths[index + 1], index < halvings, index == 0)
            if side in attended and side not in sides[:index]:
                layers.append(SelfAttention(widths[index + 1], making))
        self.layers = nn.Sequential(*layers, making.rectifier())
        self.last = making.linear(widths[-1], conditioning.logits)
        classes = conditioning.classes
        self.embedding = making.projection(classes, widths[-1]) if conditioning.projects else None
        self.classifier = making.linear(widths[-1], classes) if conditioning.classifies else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """What is thought of images."""
        features: Tensor = self.layers(self.conditioning.joined(images, labels)).sum((2, 3))
        outputs = self.last(features)
        if self.embedding is not None:
            outputs = outputs + self.embedding(features, labels)
        if self.classifier is not None:
            outputs = torch.cat([outputs, self.classifier(features)], dim=1)
        return self.conditioning.scores(outputs, features, labels)
