"""Images and the weights of convolutions with their channels last in memory, which convolutions read faster."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn


def channels_last(tensor: Tensor) -> Tensor:
    """A tensor (N, C, H, W) as it was, but in memory (N, H, W, C); others, such as vectors and volumes, themselves."""
    return tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor


def put_channels_last(module: nn.Module) -> None:
    """Let weights and buffers with four dimensions lie in memory with their channels last, in place.

    Parts of the module that say `channels_last = False` stay as they are.
    """
    if not getattr(module, "channels_last", True):
        return
    for tensor in (*module._parameters.values(), *module._buffers.values()):
        if tensor is not None:
            tensor.data = channels_last(tensor.data)
    for child in module.children():
        put_channels_last(child)


def arrange(module: nn.Module, is_images: bool) -> Callable[[Tensor], Tensor]:
    """Put a game of images in that order unless it says `channels_last = False`; returns what does so to a tensor."""
    if not (is_images and getattr(module, "channels_last", True)):
        return _unchanged
    put_channels_last(module)
    return channels_last


def _unchanged(tensor: Tensor) -> Tensor:
    return tensor


def in_order_of(tensor: Tensor, other: Tensor) -> Tensor:
    """A tensor with the memory order of another of the same shape."""
    if tensor.stride() == other.stride():
        return tensor
    return torch.empty_like(other, dtype=tensor.dtype, device=tensor.device).copy_(tensor)
