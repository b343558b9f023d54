"""What passes between processes: flattened gradients and buffers, in one all-reduce a player's update."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


def world_size() -> int:
    """Number of processes."""
    return dist.get_world_size() if _distributed() else 1


def rank() -> int:
    """This process's place among all."""
    return dist.get_rank() if _distributed() else 0


def mean_over_ranks(tensor: Tensor) -> Tensor:
    """The mean of a tensor over all ranks; on one process the tensor itself."""
    if world_size() > 1:
        dist.all_reduce(tensor)
        tensor /= world_size()
    return tensor


def shared_mean(values: Tensor) -> Tensor:
    """The mean over the first dimension and over all ranks, with a gradient for every rank's values.

    What depends on the mean of a batch then does not depend on how many devices share the batch. A collective, in
    the backward pass as well: every rank computes it, and for as many values.
    """
    mean = values.mean(0)
    if world_size() == 1:
        return mean
    shared: Tensor = _MeanOverRanks.apply(mean)  # type: ignore[no-untyped-call]
    return shared


class _MeanOverRanks(torch.autograd.Function):
    """Its gradient is the mean over ranks too: each rank's loss is a share of the whole batch's."""

    @staticmethod
    def forward(context: Any, value: Tensor) -> Tensor:
        return mean_over_ranks(value.clone())

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        shared: Tensor = _MeanOverRanks.apply(gradient)  # type: ignore[no-untyped-call]
        return shared


def synchronise(parameters: Iterable[nn.Parameter], buffers: Iterable[Tensor], signal: bool) -> bool:
    """Average gradients and floating buffers over all ranks; returns whether any rank raised its `signal`.

    Parameters without a gradient are left out: which ones these are must be the same on every rank, which holds
    as all ranks run the same step.
    """
    if world_size() == 1:
        return signal
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flag = torch.tensor([float(signal)], device=gradients[0].device)
    by_type: dict[torch.dtype, list[Tensor]] = defaultdict(list)
    for tensor in [flag, *gradients, *buffers]:
        if tensor.is_floating_point():
            by_type[tensor.dtype].append(tensor)
    for tensors in by_type.values():
        _average(tensors)
    return bool(flag.item() > 0)


def broadcast_module(module: nn.Module) -> None:
    """Give every rank the parameters and buffers of rank 0."""
    if world_size() == 1:
        return
    for tensor in module.state_dict().values():
        dist.broadcast(tensor, src=0)


def is_lost_process(error: BaseException) -> bool:
    """Whether an error says that a collective failed because another process is gone."""
    signs = ("connection closed by peer", "connection reset by peer", "connection refused", "nccl error", "timed out")
    text = str(error).lower()
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and any(s in text for s in signs))


@torch.no_grad()
def _average(tensors: list[Tensor]) -> None:
    flat = mean_over_ranks(torch.cat([tensor.flatten() for tensor in tensors]))
    parts = torch.split(flat, [tensor.numel() for tensor in tensors])
    torch._foreach_copy_(tensors, [part.view_as(tensor) for part, tensor in zip(parts, tensors, strict=True)])


def _distributed() -> bool:
    return dist.is_available() and dist.is_initialized()
