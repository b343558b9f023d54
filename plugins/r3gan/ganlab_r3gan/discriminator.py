"""The discriminator: the generator's mirror image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganlab.bounds import Count, Positive
from ganlab.contracts import Scores
from ganlab.nn import ConditioningName, Conv2d, Resampler, conditioning_of, scaled_product
from ganlab_r3gan.blocks import change_of_width, drawn, stages, start_size


class R3GANDiscriminator(nn.Module):
    """Images (N, C, H, W) to logits (N,) (Huang et al., 2024).

    Each stage has two residual blocks; between stages, features are reduced by a filter and change their width. With
    labels, the last vector is projected on the label's. For FFHQ at 256 pixels there are 23,009,568 parameters.

    Args:
        shape: Shape of an image.
        widths: channels of each stage, the coarsest first, as for the generator.
        groups: groups of the 3x3 convolutions of each stage, as for the generator.
        classes: number of classes; 0 for data without labels.
        conditional: use the labels where the data have them.
        expansion: Channels of the 3x3 convolutions, as a multiple of the width.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`.
    """

    example: ClassVar[Mapping[str, Any]] = {"widths": [8, 8, 4], "groups": [2, 2, 1]}

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[Count],
        groups: Sequence[Count],
        classes: int = 0,
        conditional: bool = True,
        expansion: Positive = 2.0,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        size = start_size(shape, widths)
        self.conditioning = conditioning_of(conditioning, "projection", classes, conditional)
        self.from_image = drawn(Conv2d(shape[0] + self.conditioning.channels, widths[-1], 1, bias=False))
        self.resampler = Resampler()
        self.stages = nn.ModuleList(stages(widths[::-1], groups[::-1], expansion))
        self.changes = nn.ModuleList([change_of_width(*pair) for pair in pairwise(widths[::-1])])
        width = widths[0]
        self.gather = drawn(Conv2d(width, width, size, groups=width, bias=False))
        projects = self.conditioning.projects
        self.last = drawn(nn.Linear(width, width if projects else self.conditioning.outputs, bias=False))
        self.embedding = drawn(nn.Linear(classes, width, bias=False)) if projects else None

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """What is thought of images."""
        features = self.from_image(self.conditioning.joined(images, labels))
        for index, stage in enumerate(self.stages):
            if index:
                features = self.changes[index - 1](self.resampler.down(features))
            features = stage(features)
        seen = self.gather(features).flatten(1)
        outputs = self.last(seen)
        if self.embedding is not None:
            assert labels is not None, "a conditional discriminator is called with labels"
            vectors = self.embedding(one_hot(labels, self.conditioning.classes).to(outputs.dtype))
            outputs = scaled_product(outputs, vectors)
        return self.conditioning.scores(outputs, seen, labels)
