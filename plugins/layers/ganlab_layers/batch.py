"""Batch norm of activations."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganlab.bounds import Count, Positive
from ganlab.contracts import Normalizer as AnyNormalizer
from ganlab.distributed import world_size
from ganlab.nn import Normalizer, WholeBatch, stack_over_ranks
from ganlab_layers.modulation import Wrap, modulated

Share = Annotated[float, Ge(0), Le(1)]


class BatchNorm(_BatchNorm):
    """Torch's batch norm for (N, C) as well as (N, C, ...)."""

    def _check_input_dim(self, images: Tensor) -> None:
        assert images.dim() >= 2, f"batch norm takes (N, C, ...), not {tuple(images.shape)}"


class SynchronisedBatchNorm(BatchNorm, WholeBatch):
    """Batch norm over the images of all processes, which have equally many, and of all parts of a batch.

    Made of operations that can be differentiated as often as one likes, which torch's own is not.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Normalized `images`; on one process, and in eval mode, exactly as without synchronisation."""
        if not self.training or (world_size() == 1 and not self.is_in_parts):
            return super().forward(images)
        others = [dim for dim in range(images.dim()) if dim != 1]
        mean, variance = _over_ranks(images, others)
        if self.given is None:
            self._note(mean.detach(), variance.detach(), images.numel() // images.shape[1] * world_size())
        mean, variance = self.of_batch(mean, variance)
        scale = torch.rsqrt(variance + self.eps)
        shape = (1, -1, *[1] * (images.dim() - 2))
        normalized = (images - mean.view(shape)) * scale.view(shape)
        if self.affine:
            normalized = normalized * self.weight.view(shape) + self.bias.view(shape)
        return normalized.to(images.dtype)

    @torch.no_grad()
    def _note(self, mean: Tensor, variance: Tensor, count: int) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)


def _over_ranks(images: Tensor, others: list[int]) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel, from those of equal parts of the whole."""
    images = images.float() if images.dtype == torch.bfloat16 else images
    own = torch.stack([images.mean(others), images.var(others, correction=0)])
    means, variances = stack_over_ranks(own).unbind(1)
    mean = means.mean(0)
    return mean, variances.mean(0) + (means - mean).square().mean(0)


class BatchNormalizer(Normalizer):
    """Mean 0 and variance 1 for each channel over the batch; running averages in eval mode (Ioffe and Szegedy, 2015).

    The statistics are those of one pass on one device, or if synchronised those of the whole batch. Penalties on the
    discriminator's gradient assume that images do not see each other: leave it out of a discriminator with one.

    Args:
        momentum: weight of the new batch in the running averages.
        eps: added to the variance.
        synchronise: take the statistics over the images of all processes and micro-batches. Penalties may differentiate
            them twice.
        map_width: where the network is modulated by maps, channels between a map and gains and biases.
    """

    centers: ClassVar[bool] = True
    takes_maps: ClassVar[bool] = True

    def __init__(
        self, momentum: Share = 0.1, eps: Positive = 1e-5, synchronise: bool = False, map_width: Count = 128
    ) -> None:
        self.momentum = momentum
        self.eps = eps
        self.synchronise = synchronise
        self.map_width = map_width

    def activation(self, channels: int, condition: int | None = None, spatial: int | None = None) -> nn.Module:
        """Batch norm with learned gain and bias, or with both made from a conditioning vector or a map."""
        return self._modulated(channels, condition, spatial)

    def _modulated(
        self, channels: int, condition: int | None, spatial: int | None, weight: Wrap | None = None
    ) -> nn.Module:
        affine = condition is None and spatial is None
        norm = self._norm(channels, affine=affine)
        return norm if affine else modulated(norm, channels, condition, spatial, self.map_width, weight)

    def _norm(self, channels: int, *, affine: bool) -> BatchNorm:
        kind = SynchronisedBatchNorm if self.synchronise else BatchNorm
        return kind(channels, self.eps, self.momentum, affine=affine)


class ConditionalBatchNormalizer(BatchNormalizer):
    """Batch norm whose gain, 1 plus a linear map, and bias come from a conditioning vector (BigGAN) or a map (SPADE).

    Without either it is plain batch norm. `batch` does the same; here the linear layers, or the convolutions of the
    map, can be normalized as well.

    Args:
        momentum: weight of the new batch in the running averages.
        eps: added to the variance.
        synchronise: take the statistics over the images of all processes and micro-batches. Penalties may differentiate
            them twice.
        linear: normalizes the weights of the linear layers or convolutions, such as `spectral`; null for none.
        map_width: where the network is modulated by maps, channels between a map and gains and biases.
    """

    def __init__(
        self,
        momentum: Share = 0.1,
        eps: Positive = 1e-5,
        synchronise: bool = False,
        linear: AnyNormalizer | None = None,
        map_width: Count = 128,
    ) -> None:
        super().__init__(momentum, eps, synchronise, map_width)
        self.linear = linear

    def activation(self, channels: int, condition: int | None = None, spatial: int | None = None) -> nn.Module:
        """Batch norm with learned gain and bias, or with both made from a conditioning vector or a map."""
        return self._modulated(channels, condition, spatial, self.linear.weight if self.linear else None)
