"""The generator: a multilayer perceptron."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import prod
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from ganlab import InputFacts
from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import Normalizer as NoNormalizer
from ganlab_gan.activations import Activation, Activations, each_of
from ganlab_gan.perceptron import Branches, ConditionBeside, Inputs, linear


class MLPGenerator(nn.Module):
    """Latents (N, latent_size) to examples (N, *shape), vectors or images; a label enters one-hot beside the latents.

    Args:
        shape: shape of one example.
        classes: number of classes; 0 for data without labels.
        latent_size: numbers in a latent vector.
        hidden: units of each hidden layer.
        activation: activation of the hidden layers, one for all or one for each.
        output: `tanh` keeps to [-1, 1], `linear` does not; null takes tanh for images and linear for vectors.
        weight_range: the initial weights are uniform in plus and minus this, biases 0; null is torch's default.
        normalizer: Stands between each hidden layer and its activation.
        conditional: use the labels where the data have them.
        branches: units of a hidden layer of the latents and of one of the label, behind which they are joined (Mirza
            and Osindero, 2014); null joins them at once.
        condition: name of an input of numbers in the data that stands beside the latents, with the label or alone.
        inputs: facts of the data's inputs.
    """

    blends_labels: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"hidden": [8], "latent_size": 8}

    def __init__(
        self,
        shape: tuple[int, ...],
        classes: int = 0,
        latent_size: Count = 100,
        hidden: Sequence[Count] = (256, 256),
        activation: Activation | Activations = "relu",
        output: Literal["tanh", "linear"] | None = None,
        weight_range: Positive | None = None,
        normalizer: Normalizer | None = None,
        conditional: bool = True,
        branches: Branches | None = None,
        condition: str | None = None,
        inputs: Mapping[str, InputFacts] | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or NoNormalizer()
        self.latent_size = latent_size
        self.shape = tuple(shape)
        self.classes = classes if conditional else 0
        self.condition = condition
        units = each_of(activation, len(hidden))
        first = each_of(activation if isinstance(activation, str) else "relu", 1)[0]
        given = (latent_size, self.classes, condition, inputs)
        self.beside = ConditionBeside(*given, branches, 1, first, weight_range)
        sizes = [self.beside.size, *hidden]
        layers: list[nn.Module] = []
        for (before, behind), unit in zip(pairwise(sizes), units, strict=True):
            layers += [normalizer.weight(linear(before, behind, weight_range)), normalizer.activation(behind), unit]
        layers += [normalizer.weight(linear(sizes[-1], prod(self.shape), weight_range))]
        if (output or ("tanh" if len(self.shape) == 3 else "linear")) == "tanh":
            layers += [nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents: Tensor, labels: Tensor | None = None, inputs: Inputs = None) -> Tensor:
        """Examples for latents and, if the network is conditional, labels (N,), and inputs by name."""
        examples: Tensor = self.layers(self.beside(latents, labels, inputs))
        return examples.view(-1, *self.shape)
