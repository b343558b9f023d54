"""The networks of BiGAN for MNIST, which take an image for a vector (Donahue et al., 2017, appendix C.1).

Each has two hidden layers; batch norm without gain and bias stands behind the second one alone. No layer has a bias.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, ClassVar

from ganlab_layers.batch import BatchNorm
from torch import Tensor, nn

from ganlab import Scores
from ganlab.bounds import Count
from ganlab.nn import LeakyReLU, ReLU

DEVIATION = 0.02  # of initial weights
_SLOPE = 0.2


class BiGANPerceptronGenerator(nn.Module):
    """Latents (N, latent_size) to examples (N, *shape) in [-1, 1], vectors or images; labels are ignored.

    Args:
        shape: shape of one example.
        latent_size: numbers in a latent vector.
        units: number of units of each hidden layer.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "units": 8}

    def __init__(self, shape: tuple[int, ...], latent_size: Count = 50, units: Count = 1024) -> None:
        super().__init__()
        self.shape, self.latent_size = tuple(shape), latent_size
        self.layers = nn.Sequential(
            _linear(latent_size, units),
            ReLU(),
            _linear(units, units),
            BatchNorm(units, affine=False),
            ReLU(),
            _linear(units, prod(shape)),
            nn.Tanh(),
        )

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Examples of latents."""
        examples: Tensor = self.layers(latents).view(-1, *self.shape)
        return examples


class BiGANPerceptronEncoder(nn.Module):
    """Examples (N, *shape), vectors or images, to latents (N, latent_size); labels are ignored.

    Args:
        shape: shape of one example.
        latent_size: numbers in a latent vector.
        units: number of units of each hidden layer.
        stochastic: tell means and logarithms of deviations (N, 2 * latent_size), as ALI's encoder.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "units": 8}

    def __init__(
        self, shape: tuple[int, ...], latent_size: Count = 50, units: Count = 1024, stochastic: bool = False
    ) -> None:
        super().__init__()
        self.latent_size, self.stochastic = latent_size, stochastic
        self.layers = nn.Sequential(
            nn.Flatten(),
            _linear(prod(shape), units),
            LeakyReLU(_SLOPE),
            _linear(units, units),
            BatchNorm(units, affine=False),
            LeakyReLU(_SLOPE),
            _linear(units, latent_size * (1 + stochastic)),
        )

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """What is said of examples."""
        answer: Tensor = self.layers(images)
        return answer


class BiGANPerceptronDiscriminator(nn.Module):
    """Examples (N, *shape), vectors or images, and latents (N, latent_size) to logits (N,); labels are ignored.

    A linear map of the latents is added to the second hidden layer before its normalization.

    Args:
        shape: shape of one example.
        latent_size: numbers in a latent vector.
        units: number of units of each hidden layer.
    """

    example: ClassVar[Mapping[str, Any]] = {"latent_size": 5, "units": 8}

    def __init__(self, shape: tuple[int, ...], latent_size: Count = 50, units: Count = 1024) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.of_images = nn.Sequential(
            nn.Flatten(), _linear(prod(shape), units), LeakyReLU(_SLOPE), _linear(units, units)
        )
        self.of_latents = _linear(latent_size, units)
        self.of_both = nn.Sequential(BatchNorm(units, affine=False), LeakyReLU(_SLOPE))
        self.last = _linear(units, 1)

    def forward(self, images: Tensor, latents: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits of pairs."""
        features = self.of_both(self.of_images(images) + self.of_latents(latents))
        return Scores(logits=self.last(features).flatten(), features=(features,))


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    return layer
