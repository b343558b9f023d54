"""The blocks that all ranks made, in order, on rank 0."""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from ganlab.training.gradient_sync import rank, world_size

Value = TypeVar("Value")


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
