"""The networks of the paper's appendix: 4x4 convolutions of stride 2 and fully connected layers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from ganlab_layers.batch import BatchNormalizer
from torch import Tensor, nn

from ganlab import Scores, UserError
from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer
from ganlab.nn import Conv2d, ConvTranspose2d, LeakyReLU, ReLU

DEVIATION = 0.02  # of initial weights


class InfoGANGenerator(nn.Module):
    """Latents (N, latent_size) to images (N, *shape) in [-1, 1].

    Fully connected layers to the smallest maps, then transposed convolutions. The defaults are the paper's network for
    MNIST: 62 noise, ten categories and two continuous codes, 7x7 maps at first. Labels are ignored.

    Args:
        shape: (channels, height, width) of the images; each width halves both sides.
        latent_size: numbers in a latent vector, codes included.
        units: Sizes of the fully connected layers before the one that makes the maps.
        widths: channels of the maps, the smallest first; each is followed by a doubling.
        normalizer: behind each layer but the last; null means batch norm, as in the paper.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        latent_size: Count = 74,
        units: Sequence[Count] = (1024,),
        widths: Sequence[Count] = (128, 64),
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        height, width = _start(shape, widths)
        bias = not getattr(normalizer, "centers", False)
        self.latent_size = latent_size
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise([latent_size, *units, widths[0] * height * width]):
            layers += [
                _layer(nn.Linear(inputs, outputs, bias=bias), normalizer),
                normalizer.activation(outputs),
                ReLU(),
            ]
        layers += [nn.Unflatten(1, (widths[0], height, width))]
        for inputs, outputs in pairwise(widths):
            doubling = ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=bias)
            layers += [_layer(doubling, normalizer), normalizer.activation(outputs), ReLU()]
        layers += [_layer(ConvTranspose2d(widths[-1], shape[0], 4, 2, 1), normalizer), nn.Tanh()]
        self.layers = nn.Sequential(*layers)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents."""
        images: Tensor = self.layers(latents)
        return images


class InfoGANDiscriminator(nn.Module):
    """Images (N, *shape) to logits (N,), with the last layer's input as features for the recognition head.

    The defaults are the paper's network for MNIST. Labels are ignored.

    Args:
        shape: (channels, height, width) of the images; each width halves both sides.
        widths: channels of the convolutions, the first first.
        units: Sizes of the fully connected layers behind them.
        normalizer: its activations follow each layer but the first and the last, its weights are used in all;
            null means batch norm, as in the paper.
        slope: Slope below zero of the leaky ReLUs; the authors' code has 0.01.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        widths: Sequence[Count] = (64, 128),
        units: Sequence[Count] = (1024,),
        normalizer: Normalizer | None = None,
        slope: Positive = 0.1,
    ) -> None:
        super().__init__()
        normalizer = normalizer or BatchNormalizer()
        height, width = _start(shape, widths)
        bias = not getattr(normalizer, "centers", False)
        layers: list[nn.Module] = [_layer(Conv2d(shape[0], widths[0], 4, 2, 1), normalizer), LeakyReLU(slope)]
        for inputs, outputs in pairwise(widths):
            halving = Conv2d(inputs, outputs, 4, 2, 1, bias=bias)
            layers += [_layer(halving, normalizer), normalizer.activation(outputs), LeakyReLU(slope)]
        layers += [nn.Flatten()]
        sizes = [widths[-1] * height * width, *units]
        for inputs, outputs in pairwise(sizes):
            linear = nn.Linear(inputs, outputs, bias=bias)
            layers += [_layer(linear, normalizer), normalizer.activation(outputs), LeakyReLU(slope)]
        self.features = nn.Sequential(*layers)
        self.last = _layer(nn.Linear(sizes[-1], 1), normalizer)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        """Logits of images."""
        features = self.features(images)
        return Scores(logits=self.last(features).flatten(), features=(features,))


def _start(shape: tuple[int, ...], widths: Sequence[int]) -> tuple[int, int]:
    """The smallest maps, (height, width). Raises `UserError` for what is not that doubled."""
    factor = 2 ** len(widths)
    if len(shape) != 3:
        raise UserError(
            f"infogan takes images, not examples of {prod(shape)} numbers; for these take the network 'mlp'"
        )
    if not widths or shape[1] % factor or shape[2] % factor:
        raise UserError(
            f"{len(widths)} 'widths' of infogan's networks need images whose sides are multiples of {factor}, not "
            f"{shape[1]}x{shape[2]}: give one width or more, and no more than the sides can be halved"
        )
    return shape[1] // factor, shape[2] // factor


def _layer(layer: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, normalizer: Normalizer) -> nn.Module:
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return normalizer.weight(layer)
