"""What both networks must agree on: channels, initial weights, and where the normalizer goes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from ganlab.contracts import Normalizer
from ganlab.errors import UserError
from ganlab.nn import conditional_activation

DEVIATION = 0.02  # of initial weights
_START = 4  # pixels of the longer side, at least, and less than twice as many
_MOST_DOUBLINGS = 6
_WIDEST = 8  # times the width: the published network's 4x4 layer at 64 pixels


@dataclass(frozen=True)
class Plan:
    """The coarsest maps of a network, (height, width), and the channels of its hidden layers from there on."""

    start: tuple[int, int]
    hidden: list[int]


def network_plan(shape: tuple[int, ...], width: int) -> Plan:
    """The layers for images (channels, H, W): at the start, at twice that, ... and at half the size.

    The finest has `width` channels, each coarser one twice as many, up to 8 times the width. Sides are halved until
    the longer one has 4 to 7 pixels, so that squares of 8, 16, ... pixels start with 4x4. Raises `UserError` for
    images that are not a start doubled.
    """
    if len(shape) != 3:
        raise UserError(f"dcgan takes images, not examples of the shape {' x '.join(map(str, shape))}")
    sides = shape[1:]
    doublings = _doublings(max(sides))
    if not 1 <= doublings <= _MOST_DOUBLINGS or any(side % 2**doublings or not side for side in sides):
        raise UserError(
            f"dcgan takes images whose sides are a start, of which the longer has {_START} to {2 * _START - 1} pixels, "
            f"doubled one to {_MOST_DOUBLINGS} times, such as squares of 8, 16, 32, 64, 128, 256 pixels or 64x48 (4x3 "
            f"doubled four times), not {sides[0]}x{sides[1]}: set 'data.resolution: {_nearest(*sides)}', or crop the "
            "pictures to such a size"
        )
    channels = [width * min(2**level, _WIDEST) for level in reversed(range(doublings))]
    return Plan((sides[0] >> doublings, sides[1] >> doublings), channels)


def _doublings(longer: int) -> int:
    return longer.bit_length() - _START.bit_length()


def _nearest(height: int, width: int) -> str:
    """A size of about these proportions that there is a network for, as a spec has it."""
    longer = max(height, width, 1)
    doublings = min(max(_doublings(longer), 1), _MOST_DOUBLINGS)
    start = min(max(round(longer / 2**doublings), _START), 2 * _START - 1)
    sides = [max(round(side / longer * start), 1) << doublings for side in (height, width)]
    return str(sides[0]) if sides[0] == sides[1] else f"[{sides[0]}, {sides[1]}]"


def has_bias(normalizer: Normalizer) -> bool:
    """Whether the convolutions have a bias: as in the published networks, none of them beside batch norm."""
    return not getattr(normalizer, "centers", False)


def convolution(layer: _ConvNd, normalizer: Normalizer) -> nn.Module:
    """The layer with its weight drawn from N(0, 0.02) and then normalized; its bias starts at 0."""
    nn.init.normal_(layer.weight, 0.0, DEVIATION)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return normalizer.weight(layer)


def activation(channels: int, normalizer: Normalizer, condition: int | None = None) -> nn.Module:
    """The normalizer's module for a hidden layer; gains of batch norm are drawn from N(1, 0.02).

    With a `condition`, gains and biases are made of a vector of this size.
    """
    if condition is not None:
        return conditional_activation(normalizer, channels, condition)
    module = normalizer.activation(channels)
    if isinstance(module, _BatchNorm) and module.affine:
        nn.init.normal_(module.weight, 1.0, 0.02)
    return module
