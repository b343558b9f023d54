"""The generator: transposed convolutions that double the image until it has its size."""

from __future__ import annotations

from itertools import pairwise

import torch
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.contracts import Normalizer
from ganlab.nn import ConvTranspose2d, ReLU
from ganlab_dcgan.parts import activation, channel_plan, convolution, has_bias


class DCGANGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, channels, resolution, resolution) in [-1, 1].

    A label enters as a learned vector of `latent_size` numbers beside the latents. With the defaults and 64-pixel
    RGB images without labels this is the network of the authors' Torch code, with 3,576,704 parameters.

    Args:
        resolution: side of the images, a power of two from 8 to 256.
        channels: channels of the images.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        width: channels of the finest hidden layer; coarser ones have up to 8 times as many.
        normalizer: between each convolution but the last and its ReLU; null means batch norm, as in the paper.
        conditional: use the labels where the data have them.
    """

    def __init__(
        self,
        resolution: int,
        channels: int,
        classes: int = 0,
        latent_size: int = 100,
        width: int = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        self.latent_size = latent_size
        self.embedding = nn.Embedding(classes, latent_size) if conditional and classes else None
        bias, hidden = has_bias(normalizer), channel_plan(resolution, width)
        inputs = latent_size if self.embedding is None else 2 * latent_size
        first = ConvTranspose2d(inputs, hidden[0], 4, bias=bias)
        doublings = [ConvTranspose2d(a, b, 4, 2, 1, bias=bias) for a, b in pairwise([*hidden, channels])]
        layers: list[nn.Module] = []
        for layer, outputs in zip([first, *doublings[:-1]], hidden, strict=True):
            layers += [convolution(layer, normalizer), activation(outputs, normalizer), ReLU()]
        self.layers = nn.Sequential(*layers, convolution(doublings[-1], normalizer), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images for latents and, if the network is conditional, labels (N,)."""
        if self.embedding is not None:
            assert labels is not None, "a conditional generator is called with labels"
            latents = torch.cat([latents, self.embedding(labels)], dim=1)
        images: Tensor = self.layers(latents[:, :, None, None])
        return images
