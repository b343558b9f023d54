"""The generator: a learned basis of the smallest maps, residual blocks, filtered enlargements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganlab.bounds import Count, Positive
from ganlab.nn import Conv2d, Resampler, class_shares
from ganlab_r3gan.blocks import change_of_width, drawn, stages, start_size


class R3GANGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, C, H, W) (Huang et al., 2024).

    Each stage has two residual blocks; between stages, features change their width and are enlarged by a filter. A
    label's embedding joins the latents. For FFHQ at 256 pixels there are 23,057,952 parameters.

    Args:
        shape: Shape of an image.
        widths: channels of each stage, the coarsest first; 768, 768, 768, 768 for images of 32 pixels in the paper.
        groups: groups of the 3x3 convolutions of each stage; 96, 96, 96, 96 there.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector, which are used as they are.
        embedding_size: numbers in the embedding of a label.
        conditional: use the labels where the data have them.
        expansion: Channels of the 3x3 convolutions, as a multiple of the width.
        skips: each stage adds to an image that is enlarged from stage to stage, as in StyleGAN2.
    """

    blends_labels: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"widths": [8, 8, 4], "groups": [2, 2, 1]}

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[Count],
        groups: Sequence[Count],
        classes: int = 0,
        latent_size: Count = 64,
        embedding_size: Count = 64,
        conditional: bool = True,
        expansion: Positive = 2.0,
        skips: bool = False,
    ) -> None:
        super().__init__()
        size = start_size(shape, widths)
        self.latent_size = latent_size
        self.classes = classes if conditional else 0
        self.embedding = drawn(nn.Linear(self.classes, embedding_size, bias=False)) if self.classes else None
        inputs = latent_size + (embedding_size if self.classes else 0)
        self.basis = nn.Parameter(torch.randn(widths[0], *size))
        self.entry = drawn(nn.Linear(inputs, widths[0], bias=False))
        self.resampler = Resampler()
        self.stages = nn.ModuleList(stages(widths, groups, expansion))
        self.changes = nn.ModuleList([change_of_width(*pair) for pair in pairwise(widths)])
        self.to_image = drawn(Conv2d(widths[-1], shape[0], 1, bias=False))
        earlier = widths[:-1] if skips else ()
        self.earlier_images = nn.ModuleList([drawn(Conv2d(width, shape[0], 1, bias=False)) for width in earlier])

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents and labels."""
        if self.embedding is not None:
            assert labels is not None, "a conditional generator is called with labels"
            latents = torch.cat([latents, self.embedding(class_shares(labels, self.classes).to(latents.dtype))], dim=1)
        features = self.entry(latents)[:, :, None, None] * self.basis
        images: Tensor | None = None
        for index, stage in enumerate(self.stages):
            if index:
                features = self.resampler.up(self.changes[index - 1](features))
            features = stage(features)
            if index < len(self.earlier_images):
                images = enlarged_sum(self.resampler, images, self.earlier_images[index](features))
        return enlarged_sum(self.resampler, images, self.to_image(features))


def enlarged_sum(resampler: Resampler, before: Tensor | None, images: Tensor) -> Tensor:
    """Images of a stage, on top of those of the stage before, enlarged, if there are any."""
    return images if before is None else resampler.up(before) + images
