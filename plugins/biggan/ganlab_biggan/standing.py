"""Statistics of batch norm that are measured for sampling."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm
from torch.nn.modules.batchnorm import _BatchNorm

Statistics = Mapping[str, tuple[Tensor, Tensor]]
"""Mean and variance of each batch norm of a network, by its name."""


def standing_statistics(network: nn.Module, run: Callable[[int], Any], batches: int) -> Statistics:
    """Means over `batches` of the statistics that the batch norms see in `run(batch)`, each with those of that batch.

    The network stays in evaluation mode and its buffers as they are, the vectors of spectral norm included.
    """
    sums: dict[str, list[Tensor]] = {}

    def hook(name: str) -> Callable[..., Tensor]:
        def normalize(norm: _BatchNorm, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
            (features,) = inputs
            others = [dim for dim in range(features.dim()) if dim != 1]
            seen = [features.float().mean(others), features.float().var(others)]
            sums[name] = [a + b for a, b in zip(sums[name], seen, strict=True)] if name in sums else seen
            return batch_norm(features, None, None, norm.weight, norm.bias, training=True, eps=norm.eps)

        return normalize

    handles = [norm.register_forward_hook(hook(name)) for name, norm in _norms(network)]
    try:
        for batch in range(batches):
            run(batch)
    finally:
        for handle in handles:
            handle.remove()
    return {name: (mean / batches, variance / batches) for name, (mean, variance) in sums.items()}


def packed(statistics: Statistics) -> Mapping[str, Tensor]:
    """Statistics as one tensor (2, channels) for each batch norm, as files keep them."""
    return {name: torch.stack([mean, variance]) for name, (mean, variance) in statistics.items()}


def unpacked(tensors: Mapping[str, Tensor]) -> Statistics:
    """Statistics from what `packed` made of them."""
    return {name: (both[0], both[1]) for name, both in tensors.items()}


@contextmanager
def with_statistics(network: nn.Module, statistics: Statistics | None) -> Iterator[None]:
    """Let a network in evaluation mode normalize by these statistics instead of its running ones; by those for None."""
    replaced = {name: norm for name, norm in _norms(network) if statistics is not None and name in statistics}
    own = {name: (norm.running_mean, norm.running_var) for name, norm in replaced.items()}
    for name, norm in replaced.items():
        norm.running_mean, norm.running_var = (statistics or {})[name]
    try:
        yield
    finally:
        for name, norm in replaced.items():
            norm.running_mean, norm.running_var = own[name]


def _norms(network: nn.Module) -> Iterator[tuple[str, _BatchNorm]]:
    return ((name, part) for name, part in network.named_modules() if isinstance(part, _BatchNorm))
