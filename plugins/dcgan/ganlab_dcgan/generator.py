"""The generator: transposed convolutions that double the image until it has its size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, ClassVar

import torch
from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import ConvTranspose2d, LabelInputName, ReLU, chosen_name, class_shares, embedded, with_label
from ganlab_dcgan.parts import activation, convolution, has_bias, network_plan


class DCGANGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, *shape) in [-1, 1].

    A label that is embedded enters as a learned vector of `latent_size` numbers beside the latents, at first as long as
    a one-hot label is. With the defaults and 64-pixel RGB images without labels this is the network of the authors'
    Torch code, with 3,576,704 parameters.

    Args:
        shape: (channels, height, width) of the images; the sides are a start, of which the longer has 4 to 7 pixels,
            doubled one to six times: 8x8, 16x16, ... 256x256, 64x48 and such.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        width: channels of the finest hidden layer; coarser ones have up to 8 times as many.
        normalizer: between each convolution but the last and its ReLU; null means batch norm, as in the paper.
        conditional: use the labels where the data have them.
        label_length: length of an embedded label's vector at the start, on average; the latents have that of the root
            of `latent_size`. Longer ones let the generator tell its images apart by their labels alone.
        conditioning: how labels enter: `embedded` or `concatenated` as they are, one-hot, beside the latents, as gains
            and biases of each `normalization`, or `none`; null for `embedded`.
    """

    blends_labels: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"width": 4, "latent_size": 8}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        latent_size: Count = 100,
        width: Count = 64,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        label_length: Positive = 1.0,
        conditioning: LabelInputName | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        self.latent_size = latent_size
        name = chosen_name(conditioning, "embedded", "none", classes, conditional)
        self.classes = classes if name in ("concatenated", "normalization") else 0
        self.embedding = None
        if name == "embedded":
            self.embedding = nn.Embedding(classes, latent_size)
            nn.init.normal_(self.embedding.weight, 0.0, label_length / math.sqrt(latent_size))
        bias, plan = has_bias(normalizer), network_plan(shape, width)
        inputs = latent_size + {"embedded": latent_size, "concatenated": classes}.get(name, 0)
        condition = classes if name == "normalization" else None
        first = ConvTranspose2d(inputs, plan.hidden[0], plan.start, bias=bias)
        doublings = [ConvTranspose2d(a, b, 4, 2, 1, bias=bias) for a, b in pairwise([*plan.hidden, shape[0]])]
        layers: list[nn.Module] = []
        for layer, outputs in zip([first, *doublings[:-1]], plan.hidden, strict=True):
            layers += [convolution(layer, normalizer), activation(outputs, normalizer, condition), ReLU()]
        self.modulated = range(1, len(layers), 3) if condition else ()  # the normalizations
        self.layers = nn.Sequential(*layers, convolution(doublings[-1], normalizer), nn.Tanh())

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images for latents and, if the network is conditional, labels (N,)."""
        joined, vectors = self._with_label(latents, labels)
        images = joined[:, :, None, None]
        for index, layer in enumerate(self.layers):
            images = layer(images, vectors) if index in self.modulated else layer(images)
        return images

    def _with_label(self, latents: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Latents with what a label adds, and the vectors that modulate normalizations."""
        if self.embedding is None and not self.classes:
            return latents, None
        assert labels is not None, "a conditional generator is called with labels"
        if self.embedding is not None:
            return torch.cat([latents, embedded(self.embedding, labels)], dim=1), None
        if self.modulated:
            return latents, class_shares(labels, self.classes).to(latents)
        return with_label(latents, labels, self.classes), None
