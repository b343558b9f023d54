"""Ranks, sums, means and gathers: the one place that talks to `torch.distributed`.

Functions that are collectives say so: every rank calls them, and differentiates them, alike.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

Value = TypeVar("Value")


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


class _Sum(torch.autograd.Function):
    # Torch's own, in `torch.distributed.nn.functional`, is deprecated; its successor cannot be differentiated twice.
    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        # What any rank's loss says of the sum, it says of every rank's part; applied, so that it has a derivative too.
        total: Tensor = _Sum.apply(gradient)  # type: ignore[no-untyped-call]
        return total


def sum_over_ranks(tensor: Tensor) -> Tensor:
    """The sum of a tensor over all ranks; on one process the tensor itself. A collective, in its gradients too.

    Its gradient is that of the sum of all ranks' losses.
    """
    if world_size() == 1:
        return tensor
    total: Tensor = _Sum.apply(tensor)  # type: ignore[no-untyped-call]
    return total


def stack_over_ranks(tensor: Tensor) -> Tensor:
    """The tensors of all ranks, (ranks, *shape), with gradients as in `sum_over_ranks`. A collective."""
    ranks = world_size()
    if ranks == 1:
        return tensor[None]
    own = torch.arange(ranks, device=tensor.device) == rank()
    return sum_over_ranks(tensor * own.to(tensor).view(-1, *[1] * tensor.dim()))


def shared_mean(values: Tensor) -> Tensor:
    """The mean over the first dimension and over all ranks, with a gradient for every rank's values.

    What depends on the mean of a batch then does not depend on how many devices share the batch. A collective, for
    which every rank has as many values. Its gradient is a mean over ranks too: each rank's loss is a share of the
    whole batch's.
    """
    return sum_over_ranks(values.mean(0)) / world_size()


def gather_batch(values: Tensor) -> Tensor:
    """The rows of all ranks in the order of the global batch, on every rank; without gradients. A collective."""
    return stack_over_ranks(values.detach()).flatten(0, 1)


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


def gather_in_order(tensor: Tensor) -> list[Tensor]:
    """The tensors of all ranks on rank 0, in the order of the ranks; nothing on the others. A collective.

    Shape and type are equal on all ranks. They travel as bytes, because not every backend knows every type.
    """
    if world_size() == 1:
        return [tensor]
    sent = tensor.contiguous().view(torch.uint8)
    received = [torch.empty_like(sent) for _ in range(world_size())] if rank() == 0 else None
    dist.gather(sent, received, dst=0)
    return [part.view(tensor.dtype) for part in received or []]


def broadcast_value(value: Value, device: torch.device) -> Value:
    """Rank 0's plain value on every rank. A collective."""
    if world_size() == 1:
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0, device=device)
    return values[0]


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
