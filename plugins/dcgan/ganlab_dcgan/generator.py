"""The generator: transposed convolutions that double the image until it has its size."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

import torch
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.contracts import Normalizer
from ganlab.nn import ConvTranspose2d, ReLU, embedded
from ganlab.spec.model import Count, Positive
from ganlab_dcgan.parts import activation, convolution, has_bias, network_plan


class DCGANGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, *shape) in [-1, 1].

    A label enters as a learned vector of `latent_size` numbers beside the latents, at first as long as a one-hot label
    is. With the defaults and 64-pixel RGB images without labels this is the network of the authors' Torch code, with
    3,576,704 parameters.

    Args:
        shape: (channels, height, width) of the images; the sides are a start, of which the longer has 4 to 7 pixels,
            doubled one to six times: 8x8, 16x16, ... 256x256, 64x48 and such.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        width: channels of the finest hidden layer; coarser ones have up to 8 times as many.
        normalizer: between each convolution but the last and its ReLU; null means batch norm, as in the paper.
        conditional: use the labels where the data have them.
        label_length: length of a label's vector at the start, on average; the latents have that of the root of
            `latent_size`. Longer ones let the generator tell its images apart by their labels alone.
    """

    blends_labels: ClassVar[bool] = True

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        latent_size: Count = 100,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        label_length: Positive = 1.0,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        self.latent_size = latent_size
        self.embedding = None
        if conditional and classes:
            self.embedding = nn.Embedding(classes, latent_size)
            nn.init.normal_(self.embedding.weight, 0.0, label_length / math.sqrt(latent_size))
        bias, plan = has_bias(normalizer), network_plan(shape, width)
        inputs = latent_size if self.embedding is None else 2 * latent_size
        first = ConvTranspose2d(inputs, plan.hidden[0], plan.start, bias=bias)
        doublings = [ConvTranspose2d(a, b, 4, 2, 1, bias=bias) for a, b in pairwise([*plan.hidden, shape[0]])]
        layers: list[nn.Module] = []
        for layer, outputs in zip([first, *doublings[:-1]], plan.hidden, strict=True):
            layers += [convolution(layer, normalizer), activation(outputs, normalizer), ReLU()]
        self.layers = nn.Sequential(*layers, convolution(doublings[-1], normalizer), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images for latents and, if the network is conditional, labels (N,)."""
        if self.embedding is not None:
            assert labels is not None, "a conditional generator is called with labels"
            latents = torch.cat([latents, embedded(self.embedding, labels)], dim=1)
        images: Tensor = self.layers(latents[:, :, None, None])
        return images
