"""The discriminator: a multilayer perceptron, with the maxout units and dropout of the original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganlab import InputFacts, UserError
from ganlab.bounds import Count, Portion, Positive
from ganlab.contracts import Normalizer, Scores
from ganlab.nn import ConditioningName, Dropout, Projection, conditioning_of
from ganlab.nn import Normalizer as NoNormalizer
from ganlab_gan.activations import ACTIVATIONS, Activation, Maxout
from ganlab_gan.perceptron import Branches, ConditionBeside, Inputs, linear


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
        conditioning: how labels enter: `concatenated` to the example, `projection`, a `classifier` of the classes, a
            logit for each class (`scores`) or `none`; null for `concatenated`.
        branches: units of a hidden layer of the example and of one of the label, behind which they are joined (Mirza
            and Osindero, 2014); null joins them at once. Of both, `input_dropout` drops what they return.
        branch_pieces: `maxout_pieces` of the branches; null takes as many.
        condition: name of an input of numbers in the data that stands beside the example, with the label or alone.
        inputs: facts of the data's inputs.
    """

    example: ClassVar[Mapping[str, Any]] = {"hidden": [8]}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        hidden: Sequence[Count] = (256, 256),
        activation: Activation = "leaky_relu",
        maxout_pieces: Count | None = None,
        input_dropout: Portion = 0.0,
        dropout: Portion = 0.0,
        weight_range: Positive | None = None,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        conditioning: ConditioningName | None = None,
        branches: Branches | None = None,
        branch_pieces: Count | None = None,
        condition: str | None = None,
        inputs: Mapping[str, InputFacts] | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or NoNormalizer()
        self.conditioning = conditioning_of(conditioning, "concatenated", classes, conditional)
        pieces = maxout_pieces or 1
        if branch_pieces and not branches:
            raise UserError("'branch_pieces' are those of 'branches', which are not given: leave it out, or give them")
        of_branches = branch_pieces or pieces
        unit = Maxout(of_branches) if of_branches > 1 else ACTIVATIONS[activation]()
        self.condition = condition
        given = (prod(shape), self.conditioning.channels, condition, inputs)
        self.beside = ConditionBeside(*given, branches, of_branches, unit, weight_range)
        sizes = [self.beside.size, *hidden]
        layers: list[nn.Module] = [Dropout(input_dropout)]
        for before, units in pairwise(sizes):
            layers += [normalizer.weight(linear(before, units * pieces, weight_range))]
            layers += [normalizer.activation(units * pieces)]
            layers += [Maxout(pieces) if maxout_pieces else ACTIVATIONS[activation](), Dropout(dropout)]
        layers += [normalizer.weight(linear(sizes[-1], self.conditioning.logits, weight_range))]
        self.layers = nn.Sequential(*layers)
        self.projection = self.classifier = None
        if self.conditioning.projects:
            projection = Projection(classes, sizes[-1])
            nn.init.uniform_(projection.weight, -(limit := weight_range or sizes[-1] ** -0.5), limit)
            self.projection = normalizer.weight(projection)
        if self.conditioning.classifies:
            self.classifier = normalizer.weight(linear(sizes[-1], classes, weight_range))

    def forward(self, images: Tensor, labels: Tensor | None = None, inputs: Inputs = None) -> Scores:
        """Logits for examples and, if the network is conditional, labels (N,), and inputs by name."""
        features: Tensor = self.beside(images.flatten(1), labels, inputs)
        for layer in self.layers[:-1]:
            features = layer(features)
        outputs = self.layers[-1](features)
        if self.projection is not None:
            outputs = outputs + self.projection(features, labels)
        if self.classifier is not None:
            outputs = torch.cat([outputs, self.classifier(features)], dim=1)
        return self.conditioning.scores(outputs, features, labels)
