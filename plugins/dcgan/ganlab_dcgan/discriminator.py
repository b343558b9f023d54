"""The discriminator: strided convolutions that halve the image down to one number."""

from __future__ import annotations

import math
from itertools import pairwise

from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.contracts import Normalizer, Scores
from ganlab.nn import Conv2d, LeakyReLU
from ganlab.spec.model import Count
from ganlab_dcgan.parts import DEVIATION, activation, convolution, has_bias, network_plan


class DCGANDiscriminator(nn.Module):
    """Images (N, *shape) to logits (N,).

    A label enters by projection (Miyato and Koyama, 2018): the inner product of its learned vector with the last
    features, pooled over pixels, is added to the logit. The features are averaged, which is the paper's sum but for a
    constant, and the vectors start with the root of the number of pixels times the deviation of other weights: so the
    label's term starts no larger than the logit, by the inequality of Cauchy and Schwarz, and also where a normalizer
    sets the scale of the weights. With the defaults and 64-pixel RGB images without labels this is the network of the
    authors' Torch code, with 2,765,568 parameters.

    Args:
        shape: (channels, height, width) of the images; the sides are a start, of which the longer has 4 to 7 pixels,
            doubled one to six times: 8x8, 16x16, ... 256x256, 64x48 and such.
        classes: number of classes; 0 for data without labels.
        width: channels of the finest hidden layer; coarser ones have up to 8 times as many.
        normalizer: its activations follow each convolution but the first and the last, its weights are used in all;
            null means batch norm, as in the paper. Take `none` or `spectral` beside a penalty on the gradient.
        conditional: use the labels where the data have them.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        bias, plan = has_bias(normalizer), network_plan(shape, width)
        hidden = plan.hidden[::-1]
        first = Conv2d(shape[0], hidden[0], 4, 2, 1, bias=bias)
        layers: list[nn.Module] = [convolution(first, normalizer), LeakyReLU(0.2)]
        for inputs, outputs in pairwise(hidden):
            halving = Conv2d(inputs, outputs, 4, 2, 1, bias=bias)
            layers += [convolution(halving, normalizer), activation(outputs, normalizer), LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.last = convolution(Conv2d(hidden[-1], 1, plan.start, bias=bias), normalizer)
        self.projection = None
        if conditional and classes:
            projection = nn.Linear(hidden[-1], classes, bias=False)
            nn.init.normal_(projection.weight, 0.0, DEVIATION * math.sqrt(math.prod(plan.start)))
            self.projection = normalizer.weight(projection)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits for images and, if the network is conditional, labels (N,)."""
        features: Tensor = self.features(images)
        logits: Tensor = self.last(features).flatten()
        if self.projection is not None:
            assert labels is not None, "a conditional discriminator is called with labels"
            of_classes: Tensor = self.projection(features.mean((2, 3)))
            logits = logits + of_classes.gather(1, labels[:, None]).flatten()
        return Scores(logits=logits, features=(features,))
