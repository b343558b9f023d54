"""The discriminator: strided convolutions that halve the image down to one number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

import torch
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.bounds import Count
from ganlab.contracts import Normalizer, Scores
from ganlab.nn import ConditioningName, Conv2d, LeakyReLU, Projection, conditioning_of
from ganlab_dcgan.parts import DEVIATION, activation, convolution, has_bias, network_plan


class DCGANDiscriminator(nn.Module):
    """Images (N, *shape) to logits (N,).

    Where a label enters by projection, the last features are averaged over pixels, which is the sum of Miyato and
    Koyama (2018) but for a constant, and the vectors start with the root of the number of pixels times the deviation of
    other weights: so the label's term starts no larger than the logit, by the inequality of Cauchy and Schwarz, and
    also where a normalizer sets the scale of the weights. With the defaults and 64-pixel RGB images without labels this
    is the network of the authors' Torch code, with 2,765,568 parameters.

    Args:
        shape: (channels, height, width) of the images; the sides are a start, of which the longer has 4 to 7 pixels,
            doubled one to six times: 8x8, 16x16, ... 256x256, 64x48 and such.
        classes: number of classes; 0 for data without labels.
        width: channels of the finest hidden layer; coarser ones have up to 8 times as many.
        normalizer: its activations follow each convolution but the first and the last, its weights are used in all;
            null means batch norm, as in the paper. Take `none` or `spectral` beside a penalty on the gradient.
        conditional: use the labels where the data have them.
        conditioning: how labels enter: by `projection`, a `classifier` of the classes, `concatenated` to the image, a
            logit for each class (`scores`) or `none`; null for `projection`. The classifier is as linear in all of the
            last maps as the logit is.
    """

    example: ClassVar[Mapping[str, Any]] = {"width": 4}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        bias, plan = has_bias(normalizer), network_plan(shape, width)
        hidden = plan.hidden[::-1]
        self.conditioning = conditioning_of(conditioning, "projection", classes, conditional)
        first = Conv2d(shape[0] + self.conditioning.channels, hidden[0], 4, 2, 1, bias=bias)
        layers: list[nn.Module] = [convolution(first, normalizer), LeakyReLU(0.2)]
        for inputs, outputs in pairwise(hidden):
            halving = Conv2d(inputs, outputs, 4, 2, 1, bias=bias)
            layers += [convolution(halving, normalizer), activation(outputs, normalizer), LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.last = convolution(Conv2d(hidden[-1], self.conditioning.logits, plan.start, bias=bias), normalizer)
        self.projection = self.classifier = None
        if self.conditioning.projects:
            projection = Projection(classes, hidden[-1])
            nn.init.normal_(projection.weight, 0.0, DEVIATION * math.sqrt(math.prod(plan.start)))
            self.projection = normalizer.weight(projection)
        if self.conditioning.classifies:
            self.classifier = convolution(Conv2d(hidden[-1], classes, plan.start), normalizer)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits for images and, if the network is conditional, labels (N,)."""
        features: Tensor = self.features(self.conditioning.joined(images, labels))
        outputs = self.last(features).flatten(1)
        if self.projection is not None:
            outputs = outputs + self.projection(features.mean((2, 3)), labels)
        if self.classifier is not None:
            outputs = torch.cat([outputs, self.classifier(features).flatten(1)], dim=1)
        return self.conditioning.scores(outputs, features, labels)
