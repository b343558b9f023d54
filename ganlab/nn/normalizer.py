"""The base of normalizers: both of their places, unchanged."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn


class Unchanged(nn.Module):
    """Returns its input, with or without a conditioning vector."""

    def forward(self, images: Tensor, vector: Tensor | None = None) -> Tensor:
        """`images` itself."""
        return images


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
