"""Layer tables of an architecture's players, from one pass on the meta device: shapes without memory or arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from ganlab.build import build_module
from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.rehearsal import Rehearsal
from ganlab.spec.model import Spec


@dataclass(frozen=True)
class LayerDescription:
    """One layer with parameters of its own, or without children; its output shape leaves out the batch.

    A module that says `described_as` is one layer of that type, whatever it is made of; what follows its operation
    may be in `activation_name`.
    """

    name: str
    type: str
    activation: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass
class PlayerDescription:
    """A player's input and layers in the order in which they ran; FLOPs of one forward pass per image."""

    parameters: int
    flops: int = 0
    input_shape: tuple[int, ...] = ()
    layers: list[LayerDescription] = field(default_factory=list)

    @property
    def resting(self) -> int:
        """Trainable parameters of layers that have not run: those of earlier stages of training, for example."""
        return max(0, self.parameters - sum(layer.parameters for layer in self.layers))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def describe_players(spec: Spec, facts: DataFacts) -> dict[str, PlayerDescription]:
    """Tables of all players of a spec at the end of training, for data with these facts; all on the meta device.

    What is described is the first pass of each network in a round of the game. Raises `SpecError` for parts that do
    not fit, and `UserError` for a player that no round runs without values.
    """
    with torch.device("meta"):
        module = build_module(spec, facts)
    rehearsal, counter = Rehearsal(module), _Flops()
    with ExitStack() as hooks:
        watches = {name: hooks.enter_context(_Watch(part, counter)) for name, part in module.players().items()}
        with counter:
            rehearsal.play(spec.total_images)
    for name, watch in watches.items():
        if not watch.ran:
            raise UserError("; ".join([f"a round of the game never runs the {name}", *rehearsal.remarks]))
    return {name: watch.description for name, watch in watches.items()}


class _Flops(TorchDispatchMode):
    """Counts floating-point operations as torch's own counter does, without following modules."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


class _Watch:
    """Describes a player from the first pass of whatever of it is called: all of it, or its parts."""

    def __init__(self, part: nn.Module, counter: _Flops) -> None:
        self.part = part
        self.counter = counter
        # Asked for now: in a round, players are frozen while it is not their turn.
        self._trainable = {parameter for parameter in part.parameters() if parameter.requires_grad}
        self.description = PlayerDescription(self._parameters(part))
        self.ran: set[nn.Module] = set()
        self._layers = {layer: name for name, layer in _layers(part)}
        self._inside: list[nn.Module] = []  # the calls that are going on, the outermost first
        self._flops_before = 0
        self._first = False

    def __enter__(self) -> _Watch:
        self._handles: list[Any] = []
        for name, layer in self.part.named_modules():
            begin = layer.register_forward_pre_hook(partial(self._begin, name))
            self._handles += [begin, layer.register_forward_hook(self._end, always_call=True)]
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()

    def _begin(self, name: str, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        if not self._inside:
            self._first, self._flops_before = layer not in self.ran, self.counter.total
            shapes = [tuple(value.shape[1:]) for value in inputs if isinstance(value, Tensor)]
            self.description.input_shape = self.description.input_shape or (shapes[0] if shapes else ())
        self._inside.append(layer)
        if self._first and layer not in self.ran and not self._in_a_layer():
            self._record_own(layer, name)

    def _end(self, layer: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        known = layer in self.ran
        self.ran.add(layer)
        self._inside.pop()
        tensors = [value for value in (*inputs, output) if isinstance(value, Tensor)]
        if self._first and not known and layer in self._layers and isinstance(output, Tensor):
            self._record(self._layers[layer], layer, tuple(output.shape[1:]))
        if not self._inside and self._first and tensors:
            self.description.flops += (self.counter.total - self._flops_before) // len(tensors[0])

    def _in_a_layer(self) -> bool:
        return any(layer in self._layers for layer in self._inside)

    def _record(self, name: str, layer: nn.Module, shape: tuple[int, ...]) -> None:
        activation = getattr(layer, "activation_name", "")
        row = LayerDescription(name, _type(layer), activation, shape, self._parameters(layer))
        self.description.layers.append(row)

    def _parameters(self, layer: nn.Module) -> int:
        return sum(parameter.numel() for parameter in layer.parameters() if parameter in self._trainable)

    def _record_own(self, layer: nn.Module, name: str) -> None:
        """Parameters of what is made of layers, such as a learned constant."""
        for own, parameter in layer.named_parameters(name, recurse=False):
            if parameter in self._trainable:
                row = LayerDescription(own, "Parameter", "", tuple(parameter.shape), parameter.numel())
                self.description.layers.append(row)


def _layers(part: nn.Module, name: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Modules that do something themselves: they have no children but those that normalize their weight."""
    children = [(key, child) for key, child in part.named_children() if key != "parametrizations"]
    if not children or hasattr(part, "described_as"):
        yield name or type(part).__name__, part
        return
    for key, child in children:
        yield from _layers(child, f"{name}.{key}".lstrip("."))


def _type(layer: nn.Module) -> str:
    """`Conv2d 3x3`, for example."""
    described = getattr(layer, "described_as", None)
    if isinstance(described, str):
        return described
    kernel = getattr(layer, "kernel_size", None)
    name = type(layer).__name__.removeprefix("Parametrized")
    return f"{name} {'x'.join(map(str, kernel))}" if isinstance(kernel, tuple) else name
