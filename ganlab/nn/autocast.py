"""Autocast, for code that must decide about it by itself."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def without_autocast(device: torch.device) -> AbstractContextManager[object]:
    """Arithmetic in the type of its operands, whatever autocast says outside."""
    return torch.autocast(device.type, enabled=False) if is_autocast(device) else nullcontext()


def cast(*tensors: Tensor | None) -> tuple[Tensor | None, ...]:
    """The tensors in autocast's type where it is active, as it would cast them itself: float64 stays."""
    device = next(tensor.device for tensor in tensors if tensor is not None)
    if not is_autocast(device):
        return tensors
    dtype = torch.get_autocast_dtype(device.type)
    return tuple(t if t is None or t.dtype == torch.float64 else t.to(dtype) for t in tensors)


def is_autocast(device: torch.device) -> bool:
    """Whether autocast is active on a device."""
    # The meta device has no autocast, and asking for its state is an error.
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


def is_autocast_somewhere() -> bool:
    """Whether autocast is active on any kind of device that training may use, in a microsecond."""
    return any(torch.is_autocast_enabled(kind) for kind in _kinds_of_devices())


@functools.cache
def _kinds_of_devices() -> tuple[str, ...]:
    accelerator = torch.accelerator.current_accelerator()
    return ("cpu",) if accelerator is None else ("cpu", accelerator.type)
