"""Sums over processes that gradients pass through, as often as they are differentiated."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        # What any rank's loss says of the sum, it says of every rank's part; applied, so that it has a derivative too.
        return _sum(gradient.contiguous())


def sum_over_ranks(tensor: Tensor) -> Tensor:
    """The sum of a tensor over all processes; on one process the tensor itself.

    Its gradient is that of the sum of all ranks' losses. All ranks must call it, and differentiate it, alike.
    """
    return _sum(tensor) if _processes() > 1 else tensor


def stack_over_ranks(tensor: Tensor) -> Tensor:
    """The tensors of all processes, (ranks, *shape), with gradients as in `sum_over_ranks`."""
    ranks = _processes()
    if ranks == 1:
        return tensor[None]
    own = torch.arange(ranks, device=tensor.device) == dist.get_rank()
    return _sum(tensor * own.to(tensor).view(-1, *[1] * tensor.dim()))


def _sum(tensor: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(tensor)  # type: ignore[no-untyped-call]
    return total


def _processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
