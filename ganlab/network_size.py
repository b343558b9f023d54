"""What is beyond every network: options that nobody means are refused before memory and time are gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn
from torch.nn.modules import module as registration

from ganlab.errors import SpecError
from ganlab.spec.model import Node, TrainerSection
from ganlab.training.devices import memory_of
from ganlab.training.module import GANModule

NUMBERS = 10_000_000_000
"""Parameters and state that a network may have."""
LAYERS = 20_000
"""Modules, and tensors of parameters and state, that a network may be made of."""
_SHOWN = 6


@contextmanager
def within_measure(node: Node, place: str) -> Iterator[None]:
    """Whatever is built inside may have `NUMBERS` parameters and `LAYERS` layers, on the meta device as well.

    Raises `SpecError` as soon as there are more, with the options of the node that are numbers.
    """
    numbers = 0
    parts = {"layers": 0, "tensors": 0}

    def count_part(kind: str) -> None:
        parts[kind] += 1  # the tensors, too, as layers may be made long before they are put into a network
        if parts[kind] > LAYERS:
            raise SpecError(_too_large(node, place, f"more than {LAYERS:,} {kind}"))

    def count(owner: nn.Module, name: str, tensor: Any) -> None:
        nonlocal numbers
        count_part("tensors")
        numbers += 0 if tensor is None else tensor.numel()
        if numbers > NUMBERS:
            raise SpecError(_too_large(node, place, f"more than {NUMBERS:,} parameters"))

    handles = [
        registration.register_module_parameter_registration_hook(count),
        registration.register_module_buffer_registration_hook(count),
        registration.register_module_module_registration_hook(lambda *_: count_part("layers")),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _too_large(node: Node, place: str, size: str) -> str:
    largest = sorted(_numbers(node.options), key=lambda named: -named[1])[:_SHOWN]
    listed = ", ".join(f"{name} {number}" for name, number in largest)
    return f"{place}: {node.name} would have {size}; choose smaller options" + (f" ({listed})" if listed else "")


def _numbers(options: Any, name: str = "") -> Iterator[tuple[str, int]]:
    """The integers among options, with the names of the options that hold them."""
    if isinstance(options, int) and not isinstance(options, bool):
        yield name, options
    elif isinstance(options, dict):
        for key, value in options.items():
            yield from _numbers(value, name or str(key))
    elif isinstance(options, list | tuple):
        for value in options:
            yield from _numbers(value, name)


def check_memory(module: GANModule, section: TrainerSection) -> None:
    """Raise `SpecError` if weights and gradients of the players alone do not fit into the memory of a device."""
    needed = {
        name: 2 * sum(part.numel() * part.element_size() for part in player.parameters())
        for name, player in module.players().items()
    }
    memory = memory_of(section)
    if sum(needed.values()) <= memory:
        return
    listed = ", ".join(f"{name} {size / 2**30:,.1f} GiB" for name, size in needed.items())
    raise SpecError(
        f"architecture: weights and gradients of the players alone take more than the {memory / 2**30:,.1f} GiB of "
        f"memory here ({listed}); choose smaller networks, or a machine that has more"
    )
