"""Where the paper's road begins: StyleGAN2's networks without what belongs to styles, in plain layers.

Configurations B and C of the ablation: no mapping, modulation, noise, normalization, equalized learning rates or
statistics of batches are left; filters, skip connections of the generator and residual ones of the discriminator are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Scores
from ganlab.nn import BiasActivation, ConditioningName, Conv2d, Projection, Resampler, conditioning_of, with_label
from ganlab_r3gan.blocks import RECTIFIER_GAIN, drawn, start_size
from ganlab_r3gan.generator import enlarged_sum

_HALF = math.sqrt(0.5)


class _Convolution(nn.Sequential):
    """A convolution, bias, rectifier, that keep the variance of their input."""

    def __init__(self, inputs: int, outputs: int, side: int = 3, **options: Any) -> None:
        options = {"padding": side // 2, **options}
        convolution = drawn(Conv2d(inputs, outputs, side, bias=False, **options), RECTIFIER_GAIN)
        super().__init__(convolution, BiasActivation(outputs, gain=1.0))


class StrippedGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, C, H, W) (Huang et al., 2024, configurations B and C).

    A learned basis of the smallest maps is scaled by a linear map of the latents; each further stage enlarges the
    features by a filter and has two 3x3 convolutions, the first stage one; each stage adds to the image. With the
    paper's widths for FFHQ at 256 pixels there are 18,890,453 parameters.

    Args:
        shape: Shape of an image.
        widths: channels of each stage, the coarsest first; 512, 512, 512, 512, 256, 128, 64 in the paper.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector, which are used as they are.
        conditional: use the labels where the data have them, joined to the latents.
    """

    blends_labels: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"widths": [8, 8, 4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[Count],
        classes: int = 0,
        latent_size: Count = 64,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        size = start_size(shape, widths)
        self.latent_size = latent_size
        self.classes = classes if conditional else 0
        self.basis = nn.Parameter(torch.randn(widths[0], *size))
        self.entry = drawn(nn.Linear(latent_size + self.classes, widths[0], bias=False))
        self.resampler = Resampler()
        self.stages = nn.ModuleList([_Convolution(widths[0], widths[0])])
        for coarse, fine in pairwise(widths):
            self.stages.append(nn.Sequential(_Convolution(coarse, fine), _Convolution(fine, fine)))
        self.to_image = nn.ModuleList([drawn(Conv2d(width, shape[0], 1)) for width in widths])
        for layer in self.to_image:
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents and labels."""
        features = self.entry(with_label(latents, labels, self.classes))[:, :, None, None] * self.basis
        images: Tensor | None = None
        for index, (stage, to_image) in enumerate(zip(self.stages, self.to_image, strict=True)):
            features = stage(self.resampler.up(features) if index else features)
            images = enlarged_sum(self.resampler, images, to_image(features))
        assert images is not None
        return images


class StrippedDiscriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,) (Huang et al., 2024, configurations B and C).

    Residual blocks of two 3x3 convolutions, the second with a stride of two behind a filter. With the paper's widths
    for FFHQ at 256 pixels there are 23,996,481 parameters.

    Args:
        shape: Shape of an image.
        widths: channels of each stage, the coarsest first, as for the generator.
        classes: number of classes; 0 for data without labels.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: a logit for each class (`scores`), `projection`, a `classifier` of the classes,
            `concatenated` to the image or `none`; null for `scores`.
    """

    example: ClassVar[Mapping[str, Any]] = {"widths": [8, 8, 4]}

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[Count],
        classes: int = 0,
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        height, width = start_size(shape, widths)
        self.conditioning = conditioning_of(conditioning, "scores", classes, conditional)
        self.resampler = Resampler()
        self.from_image = _Convolution(shape[0] + self.conditioning.channels, widths[-1], 1)
        self.blocks = nn.ModuleList([_HalvingBlock(*pair, self.resampler) for pair in pairwise(widths[::-1])])
        self.convolution = _Convolution(widths[0], widths[0])
        dense = drawn(nn.Linear(widths[0] * height * width, widths[0], bias=False), RECTIFIER_GAIN)
        self.dense = nn.Sequential(dense, BiasActivation(widths[0], gain=1.0))
        self.last = drawn(nn.Linear(widths[0], self.conditioning.outputs))
        nn.init.zeros_(self.last.bias)
        self.projection = drawn(Projection(classes, widths[0])) if self.conditioning.projects else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """What is thought of images."""
        features = self.from_image(self.conditioning.joined(images, labels))
        for block in self.blocks:
            features = block(features)
        seen = self.dense(self.convolution(features).flatten(1))
        outputs = self.last(seen)
        if self.projection is not None:
            outputs = outputs + self.projection(seen, labels)
        return self.conditioning.scores(outputs, seen, labels)


class _HalvingBlock(nn.Module):
    """Features (N, inputs, 2H, 2W) to (N, outputs, H, W): the mean of two branches, but with their variance."""

    def __init__(self, inputs: int, outputs: int, resampler: Resampler) -> None:
        super().__init__()
        self.resampler = resampler
        self.first = _Convolution(inputs, inputs)
        self.second = _Convolution(inputs, outputs, stride=2, padding=0)
        self.shortcut = drawn(Conv2d(inputs, outputs, 1, bias=False))

    def forward(self, features: Tensor) -> Tensor:
        inside = self.second(self.resampler.before_strided(self.first(features)))
        result: Tensor = (inside + self.shortcut(self.resampler.down(features))) * _HALF
        return result
