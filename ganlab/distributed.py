"""Ranks, sums, means and gathers: the one place that talks to `torch.distributed`.

Functions that are collectives say so: every rank calls them, and differentiates them, alike.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from ganlab.errors import TrainingStopped

_UPDATES_BETWEEN_COMPARISONS = 64
_ALIGNMENT = 16  # numbers: parts of a flat tensor begin where vector instructions can read them

Value = TypeVar("Value")


def world_size() -> int:
    """Number of processes."""
    return dist.get_world_size() if _distributed() else 1


def rank() -> int:
    """This process's place among all."""
    return dist.get_rank() if _distributed() else 0


def is_first_on_machine() -> bool:
    """Whether this is the first process on its machine, known before the processes talk to each other."""
    return all(os.environ.get(name, "0") == "0" for name in ("LOCAL_RANK", "SLURM_LOCALID"))


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


class Exchange:
    """What ranks tell each other at every update of one player: gradients, statistics of normalization, a signal.

    All of it travels in one tensor of each type, which stays: the gradients become views of it. Which parameters have
    a gradient may change from update to update, alike on all ranks. Buffers of normalization layers (torch's, and
    those of modules that say `averaged_over_ranks = True`) are averaged; all others have to be equal on all ranks,
    which is looked at in the first exchange and in every 64th.

    Args:
        module: whose buffers these are.
        leave_out: a part of it whose buffers are copies of others.
    """

    def __init__(self, module: nn.Module, leave_out: nn.Module | None = None) -> None:
        self._module = module
        self._leave_out = leave_out
        self._buffers: _Buffers | None = None
        self._layout: list[Any] = []
        self._flats: list[Tensor] = []
        self._views: list[Tensor] = []
        self._told: _Told | None = None
        self._count = 0

    @torch.no_grad()
    def synchronise(self, parameters: Iterable[nn.Parameter], signal: bool) -> bool:
        """Average gradients and statistics over all ranks; returns whether any rank raised its `signal`. A collective.

        On a device that works ahead of its host the answer is that of the exchange before, which is there already.
        Raises `TrainingStopped` on all ranks where a buffer differs that must not.
        """
        if world_size() == 1:
            return signal
        self._buffers = self._buffers or _Buffers(self._module, self._leave_out)
        owners = [parameter for parameter in parameters if parameter.grad is not None]
        gradients = [parameter.grad for parameter in owners if parameter.grad is not None]
        flag = gradients[0].new_full((1,), float(signal))
        statistics = self._buffers.statistics()
        heard = self._average([flag, *gradients, *statistics])
        for parameter, gradient in zip(owners, heard[1:], strict=False):
            parameter.grad = gradient
        if statistics:
            torch._foreach_copy_(statistics, heard[1 + len(owners) :])
        if self._count % _UPDATES_BETWEEN_COMPARISONS == 0:
            _refuse_differing(self._buffers.others())
        self._count += 1
        return self._hear(heard[0])

    def _average(self, tensors: list[Tensor]) -> list[Tensor]:
        """Means of the tensors, which the next call overwrites."""
        layout = [(tensor.dtype, tensor.device, tensor.shape, tensor.stride()) for tensor in tensors]
        if layout != self._layout:
            self._layout = layout
            self._flats, self._views = _lay_out(tensors)
        torch._foreach_copy_(self._views, tensors)
        for flat in self._flats:
            mean_over_ranks(flat)
        return self._views

    def _hear(self, flag: Tensor) -> bool:
        if not flag.is_cuda:
            return bool(flag.item() > 0)
        before, self._told = self._told, _Told(flag)
        return before is not None and before.read()


class _Told:
    """A number on its way from a device to its host, which goes on meanwhile."""

    def __init__(self, number: Tensor) -> None:
        self.number = torch.empty(number.shape, dtype=number.dtype, pin_memory=True)
        self.number.copy_(number, non_blocking=True)
        self.arrival = torch.cuda.Event()
        self.arrival.record()

    def read(self) -> bool:
        """Whether it is above 0."""
        self.arrival.synchronize()
        return bool(self.number.item() > 0)


class _Buffers:
    """A module's buffers by their owners and names, as a move to another device makes new tensors of them."""

    def __init__(self, module: nn.Module, leave_out: nn.Module | None) -> None:
        copies = set() if leave_out is None else set(leave_out.modules())
        self._statistics: list[tuple[nn.Module, str]] = []
        self._others: dict[str, tuple[nn.Module, str]] = {}
        for prefix, part in module.named_modules():
            names = [name for name, buffer in part._buffers.items() if buffer is not None]
            if part in copies:
                continue
            if isinstance(part, _NormBase) or getattr(part, "averaged_over_ranks", False):
                self._statistics += [(part, name) for name in names if part.get_buffer(name).is_floating_point()]
            else:
                self._others |= {f"{prefix}.{name}".lstrip("."): (part, name) for name in names}

    def statistics(self) -> list[Tensor]:
        """Those that are averaged."""
        return [part.get_buffer(name) for part, name in self._statistics]

    def others(self) -> dict[str, Tensor]:
        """Those that have to be equal, by their full names."""
        return {name: part.get_buffer(own) for name, (part, own) in self._others.items()}


def _lay_out(tensors: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """A flat tensor for each type, and views of them with the sizes and the memory order of `tensors`."""
    sizes: dict[torch.dtype, int] = defaultdict(int)
    starts = []
    for tensor in tensors:
        starts.append(sizes[tensor.dtype])
        sizes[tensor.dtype] += -(-tensor.numel() // _ALIGNMENT) * _ALIGNMENT
    flats = {dtype: torch.zeros(size, dtype=dtype, device=tensors[0].device) for dtype, size in sizes.items()}
    views = [
        torch.as_strided(flats[tensor.dtype], tensor.shape, _strides(tensor), start)
        for tensor, start in zip(tensors, starts, strict=True)
    ]
    return list(flats.values()), views


def _strides(tensor: Tensor) -> tuple[int, ...]:
    """Those of a tensor without gaps; fused optimizers take a gradient in the memory order of its parameter."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size > 1 and stride != expected:
            return torch.empty(tensor.shape, device="meta").stride()
        expected *= size
    return tensor.stride()


def _refuse_differing(buffers: dict[str, Tensor]) -> None:
    """Raise `TrainingStopped`, on all ranks alike, if a buffer is not the same on all of them. A collective."""
    if not buffers:
        return
    sums = torch.stack([_checksum(buffer) for buffer in buffers.values()])
    extremes = torch.stack([sums, -sums])
    dist.all_reduce(extremes, dist.ReduceOp.MAX)
    highest, lowest = extremes[0].tolist(), (-extremes[1]).tolist()
    differing = [name for name, high, low in zip(buffers, highest, lowest, strict=True) if high != low]
    if differing:
        raise TrainingStopped(
            f"the buffer '{differing[0]}' is not the same on all processes, as buffers outside of normalization layers "
            "must be: fill it from the rows of all of them (ganlab.nn.gather_batch), or with random numbers that are "
            "keyed by the step; a layer whose buffers may be averaged says 'averaged_over_ranks = True'"
            + (f". Others that differ: {', '.join(differing[1:])}" if differing[1:] else "")
        )


def _checksum(buffer: Tensor) -> Tensor:
    """A number of 62 bits that tells the bytes of a tensor, and their places, apart."""
    whole = buffer.detach().contiguous().flatten()
    if whole.is_complex():
        whole = torch.view_as_real(whole).flatten()
    size = whole.element_size()
    numbers = whole.view({1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[size]).long()
    places = torch.arange(1, 2 * len(numbers), 2, device=buffer.device)
    total = ((numbers + 0x9E3779B9) * places * 0x2545F4914F6CDD1D).sum()
    return (total ^ (total >> 29)) & 0x3FFFFFFFFFFFFFFF


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


def any_over_ranks(flag: bool, device: torch.device) -> bool:
    """Whether any rank says so, on every rank. A collective."""
    if world_size() == 1:
        return flag
    said = torch.tensor(float(flag), device=device)
    dist.all_reduce(said, dist.ReduceOp.MAX)
    return bool(said.item() > 0)


def gather_values(value: Value) -> list[Value]:
    """The plain values of all ranks in order, on every rank. A collective."""
    if world_size() == 1:
        return [value]
    values: list[Any] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values


def is_lost_process(error: BaseException) -> bool:
    """Whether an error says that a collective failed because another process is gone."""
    signs = ("connection closed by peer", "connection reset by peer", "connection refused", "nccl error", "timed out")
    text = str(error).lower()
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and any(s in text for s in signs))


def _distributed() -> bool:
    return dist.is_available() and dist.is_initialized()
