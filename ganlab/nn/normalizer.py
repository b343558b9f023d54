"""The base of normalizers: both of their places, unchanged."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor, nn

from ganlab.errors import UserError


class Unchanged(nn.Module):
    """Returns its input, with or without a conditioning vector."""

    def forward(self, images: Tensor, vector: Tensor | None = None) -> Tensor:
        """`images` itself."""
        return images


def conditional_activation(normalizer: Any, channels: int, condition: int) -> nn.Module:
    """A normalizer's module for the output of a layer that a vector of size `condition` modulates.

    Raises `UserError` for a normalizer that leaves outputs as they are, so that the vector would be lost.
    """
    module: nn.Module = normalizer.activation(channels, condition)
    if isinstance(module, Unchanged):
        raise UserError(
            "labels or latents shall modulate the normalization of layers, and this normalizer leaves their outputs as "
            "they are: take one such as 'batch' or 'conditional_batch', or [spectral, batch], or let labels enter "
            "otherwise ('conditioning')"
        )
    return module


class Normalizer:
    """Leaves weights and activations alone; a normalizer overrides the place where it acts.

    `centers` says that its activation subtracts the mean of each channel, which makes the bias of the layer before
    it useless: networks leave that bias out. `takes_maps` says that `activation` has a third argument, `spatial`, with
    which its module is modulated by a map (see `ganlab.nn.spatial_activation`, which networks call).
    """

    centers: ClassVar[bool] = False
    takes_maps: ClassVar[bool] = False

    def weight(self, layer: nn.Module) -> nn.Module:
        """The layer with its weight normalized, changed in place or wrapped."""
        return layer

    def activation(self, channels: int, condition: int | None = None) -> nn.Module:
        """A module for the output of a layer; called with a vector of size `condition` where that is given."""
        return Unchanged()
