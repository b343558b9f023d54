"""Norms over groups of one image's channels: instance, layer and group norm."""

from __future__ import annotations

from typing import Annotated, ClassVar

from annotated_types import Ge
from torch import Tensor, nn

from ganlab.bounds import Count, Positive
from ganlab.nn import Normalizer
from ganlab_layers.modulation import modulated


class GroupNorm(nn.GroupNorm):
    """Torch's group norm for (N, C) as well as (N, C, ...).

    Groups of a single number, which would all become 0, are left as they are, apart from gain and bias.
    """

    def forward(self, images: Tensor) -> Tensor:
        """`images` with mean 0 and variance 1 over each group, and the channels' gains and biases."""
        if images[0].numel() > self.num_groups:
            return super().forward(images)
        if not self.affine:
            return images
        shape = (1, -1, *[1] * (images.dim() - 2))
        return images * self.weight.view(shape) + self.bias.view(shape)


class _GroupNormalizer(Normalizer):
    takes_maps: ClassVar[bool] = True
    affine = True

    def __init__(self, eps: Positive = 1e-5, map_width: Count = 128) -> None:
        self.eps = eps
        self.map_width = map_width

    def activation(self, channels: int, condition: int | None = None, spatial: int | None = None) -> nn.Module:
        """The norm with a learned gain and bias for each channel, or with both made from a vector or a map."""
        alone = condition is None and spatial is None
        norm = GroupNorm(self._groups(channels), channels, self.eps, alone and self.affine)
        return norm if alone else modulated(norm, channels, condition, spatial, self.map_width)

    def _groups(self, channels: int) -> int:
        raise NotImplementedError


class InstanceNormalizer(_GroupNormalizer):
    """Mean 0 and variance 1 for each channel of each image (Ulyanov et al., 2016), in training and after.

    With a conditioning vector this is adaptive instance norm. Vectors (N, C) have no pixels to average over and are
    not normalized.

    Args:
        eps: added to the variance.
        map_width: where the network is modulated by maps, channels between a map and gains and biases.
        affine: learn a gain and a bias for each channel, where no vector and no map makes them.
    """

    centers: ClassVar[bool] = True

    def __init__(self, eps: Positive = 1e-5, map_width: Count = 128, affine: bool = True) -> None:
        super().__init__(eps, map_width)
        self.affine = affine

    def _groups(self, channels: int) -> int:
        return channels


class LayerNormalizer(_GroupNormalizer):
    """Mean 0 and variance 1 over all channels and pixels of each image (Ba et al., 2016).

    Gain and bias are those of channels. Images do not see each other, so that a discriminator with a penalty on its
    gradient may have it (Gulrajani et al., 2017).

    Args:
        eps: added to the variance.
        map_width: where the network is modulated by maps, channels between a map and gains and biases.
    """

    def _groups(self, channels: int) -> int:
        return 1


class GroupNormalizer(_GroupNormalizer):
    """Mean 0 and variance 1 over groups of channels of each image (Wu and He, 2018).

    Args:
        group_size: channels of a group. Where it does not divide a layer's channels, groups are larger, and where it
            is more than these, there is one group.
        eps: added to the variance.
        map_width: where the network is modulated by maps, channels between a map and gains and biases.
    """

    def __init__(self, group_size: Annotated[int, Ge(1)] = 16, eps: Positive = 1e-5, map_width: Count = 128) -> None:
        super().__init__(eps, map_width)
        self.group_size = group_size

    def _groups(self, channels: int) -> int:
        most = max(1, channels // self.group_size)
        return next(groups for groups in range(most, 0, -1) if channels % groups == 0)
