"""The discriminator: a multilayer perceptron, with the maxout units and dropout of the original."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from ganlab.contracts import Normalizer, Scores
from ganlab.nn import Dropout
from ganlab.nn import Normalizer as NoNormalizer
from ganlab.spec.model import Count
from ganlab_gan.activations import ACTIVATIONS, Activation, Maxout
from ganlab_gan.perceptron import linear, with_labels


class MLPDiscriminator(nn.Module):
    """Examples (N, *shape), vectors or images, to logits (N,); a label enters one-hot beside the example.

    Args:
        shape: shape of one example.
        classes: number of classes; 0 for data without labels.
        hidden: units of each hidden layer.
        activation: Activation of the hidden layers, where `maxout_pieces` is null.
        maxout_pieces: make each hidden unit the largest of this many linear ones, instead of an activation.
        input_dropout: share of the inputs that are dropped in training.
        dropout: share of the hidden units that are dropped in training.
        weight_range: the initial weights are uniform in plus and minus this, biases 0; null is torch's default.
        normalizer: its activations follow each hidden linear layer, its weights are used in all.
        conditional: use the labels where the data have them.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        hidden: Sequence[Count] = (256, 256),
        activation: Activation = "leaky_relu",
        maxout_pieces: Count | None = None,
        input_dropout: float = 0.0,
        dropout: float = 0.0,
        weight_range: float | None = None,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
    ) -> None:
        super().__init__()
        normalizer = normalizer or NoNormalizer()
        self.classes = classes if conditional else 0
        pieces = maxout_pieces or 1
        sizes = [prod(shape) + self.classes, *hidden]
        layers: list[nn.Module] = [Dropout(input_dropout)]
        for inputs, units in pairwise(sizes):
            layers += [normalizer.weight(linear(inputs, units * pieces, weight_range))]
            layers += [normalizer.activation(units * pieces)]
            layers += [Maxout(pieces) if maxout_pieces else ACTIVATIONS[activation](), Dropout(dropout)]
        layers += [normalizer.weight(linear(sizes[-1], 1, weight_range))]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits for examples and, if the network is conditional, labels (N,)."""
        features: Tensor = with_labels(images.flatten(1), labels, self.classes)
        for layer in self.layers[:-1]:
            features = layer(features)
        return Scores(logits=self.layers[-1](features).flatten(), features=(features,))
