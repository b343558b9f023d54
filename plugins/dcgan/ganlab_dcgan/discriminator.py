"""The discriminator: strided convolutions that halve the image down to one number."""

from __future__ import annotations

from itertools import pairwise

from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.contracts import Normalizer, Scores
from ganlab.nn import Conv2d, LeakyReLU
from ganlab_dcgan.parts import activation, channel_plan, convolution, has_bias


class DCGANDiscriminator(nn.Module):
    """Images (N, channels, resolution, resolution) to logits (N,).

    A label enters by projection (Miyato and Koyama, 2018): the inner product of its learned vector with the sum of
    the last features over pixels is added to the logit. With the defaults and 64-pixel RGB images without labels
    this is the network of the authors' Torch code, with 2,765,568 parameters.

    Args:
        resolution: side of the images, a power of two from 8 to 256.
        channels: channels of the images.
        classes: number of classes; 0 for data without labels.
        width: channels of the finest hidden layer; coarser ones have up to 8 times as many.
        normalizer: its activations follow each convolution but the first and the last, its weights are used in all;
            null means batch norm, as in the paper. Take `none` or `spectral` beside a penalty on the gradient.
        conditional: use the labels where the data have them.
    """

    def __init__(
        self,
        resolution: int,
        channels: int,
        classes: int = 0,
        width: int = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        bias, hidden = has_bias(normalizer), channel_plan(resolution, width)[::-1]
        first = Conv2d(channels, hidden[0], 4, 2, 1, bias=bias)
        layers: list[nn.Module] = [convolution(first, normalizer), LeakyReLU(0.2)]
        for inputs, outputs in pairwise(hidden):
            halving = Conv2d(inputs, outputs, 4, 2, 1, bias=bias)
            layers += [convolution(halving, normalizer), activation(outputs, normalizer), LeakyReLU(0.2)]
        self.features = nn.Sequential(*layers)
        self.last = convolution(Conv2d(hidden[-1], 1, 4, bias=bias), normalizer)
        self.embedding = None
        if conditional and classes:
            self.embedding = normalizer.weight(nn.Embedding(classes, hidden[-1]))

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits for images and, if the network is conditional, labels (N,)."""
        features: Tensor = self.features(images)
        logits: Tensor = self.last(features).flatten()
        if self.embedding is not None:
            assert labels is not None, "a conditional discriminator is called with labels"
            logits = logits + (self.embedding(labels) * features.sum((2, 3))).sum(1)
        return Scores(logits=logits, features=(features,))
