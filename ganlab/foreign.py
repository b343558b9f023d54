"""Checkpoints of other programs: what is read of them, and the contract of those who translate them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganlab.errors import RunError
from ganlab.facts import DataFacts

NAN = float("nan")


class _Inert(type):
    """Classes that a file cannot change."""

    def __setattr__(cls, name: str, value: Any) -> None:
        raise TypeError("a record's class stays as it is")


class Record(metaclass=_Inert):
    """An object in a file whose class was not loaded: what the file says of it, and nothing that runs.

    `name` is that of its class, `arguments` are what it was made with, `state` is what its attributes were.
    """

    name: ClassVar[str] = ""
    arguments: tuple[Any, ...]
    state: Any

    def __new__(cls, *arguments: Any, **options: Any) -> Record:
        """Complete as it is, because files may call no more than this."""
        made = super().__new__(cls)
        made.arguments, made.state = (*arguments, *options.items()), {}
        return made

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        """Parts of mappings are not kept."""

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute that it had."""
        return self.state.get(name, default) if isinstance(self.state, Mapping) else default

    def part(self, name: str) -> Record:
        """A module in it, of a record of a network. Raises `RunError` if there is none."""
        found = (self.get("_modules") or {}).get(name)
        if not isinstance(found, Record):
            raise RunError(f"the network in the file has no part '{name}'")
        return found


def module_tensors(record: Record) -> dict[str, Tensor]:
    """The parameters and buffers of a record of a network, by the names that they have in its `state_dict`."""
    found: dict[str, Tensor] = {}
    for kind in ("_parameters", "_buffers"):
        found |= {name: value for name, value in (record.get(kind) or {}).items() if isinstance(value, Tensor)}
    for name, part in (record.get("_modules") or {}).items():
        if isinstance(part, Record):
            found |= {f"{name}.{inner}": value for inner, value in module_tensors(part).items()}
    return found


class Tensors:
    """The tensors of a checkpoint by name, of which it is known which ones were taken; they come as float32."""

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self._tensors = {name: value for name, value in tensors.items() if isinstance(value, Tensor)}
        self._taken: set[str] = set()

    def take(self, name: str) -> Tensor:
        """A tensor. Raises `RunError` if there is none of this name."""
        if name not in self._tensors:
            raise RunError(f"the file lacks the tensor '{name}'")
        self._taken.add(name)
        value = self._tensors[name]
        return value.detach().float() if value.is_floating_point() else value.detach()

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor, which is not taken by that. Raises `RunError` if there is none of this name."""
        if name not in self._tensors:
            raise RunError(f"the file lacks the tensor '{name}'")
        return tuple(self._tensors[name].shape)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def leave(self, *endings: str) -> None:
        """Say that tensors whose names end so are of no use here."""
        self._taken |= {name for name in self._tensors if name.endswith(endings)}

    def left(self) -> list[str]:
        """The names of those that nobody took."""
        return sorted(set(self._tensors) - self._taken)

    def count(self, pattern: str, first: int = 0) -> int:
        """How many consecutive numbers from `first` on, put into `pattern`, are names of tensors."""
        number = first
        while pattern.format(number) in self._tensors:
            number += 1
        return number - first


@dataclass(frozen=True)
class ForeignGenerator:
    """A generator of another program, as this one builds it.

    Args:
        architecture: the node of an architecture whose generator computes the same function, in plain values.
        facts: of the data that it was trained on, as far as the file tells.
        tensors: the weights in the file, all of which have to be used.
        fill: gives the built generator its weights; see `put`.
        remarks: sentences on what is not the same.
    """

    architecture: Mapping[str, Any]
    facts: DataFacts
    tensors: Tensors
    fill: Callable[[nn.Module], None]
    remarks: Sequence[str] = field(default=())


class Format(Protocol):
    """Kind `formats`: translates the generator in a checkpoint of another program.

    `read` gets the content of a file: plain values, tensors, and a `Record` for each object whose class is not loaded.
    No code of the file runs. `records` are the modules, with a dot behind them for all that is in them, whose objects
    may stand in such a file; of others the file is refused. Raises `UserError` for a content of another kind, and for
    what the networks here cannot compute.
    """

    records: ClassVar[tuple[str, ...]]

    def read(self, content: Any) -> ForeignGenerator:
        """The generator in the content of a file."""
        ...


def put(layer: Any, name: str, value: Tensor) -> None:
    """Give a layer a parameter or buffer as it is used, whatever its parametrizations store of it.

    Raises `RunError` for a tensor of another shape.
    """
    current: Tensor = getattr(layer, name)
    if current.shape != value.shape:
        raise RunError(
            f"a tensor of the shape {tuple(value.shape)} does not fit into '{name}' of {type(layer).__name__}, which "
            f"is {tuple(current.shape)}"
        )
    with torch.no_grad():
        if is_parametrized(layer, name):
            setattr(layer, name, value.to(current))
        else:
            current.copy_(value)
