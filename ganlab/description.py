"""Layer tables of an architecture's players, from one pass on the meta device: shapes without memory or arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganlab.build import build_module
from ganlab.contracts import Batch, DataFacts, Examples
from ganlab.data.scaling import scale_input
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.spec.model import Spec
from ganlab.training.module import GANModule

_IMAGES = 4  # enough for minibatch statistics; figures are divided by it


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
    """Tables of all players of a spec at the end of training, for data with these facts; all on the meta device."""
    with torch.device("meta"):
        module = build_module(spec, facts)
    module.clock.images_seen = spec.total_images
    players = {name: _empty(part) for name, part in module.players().items()}
    batch = _example_batch(facts)
    for name in players:
        players[name] = _describe(module, name, batch)
    return players


def _example_batch(facts: DataFacts) -> Batch:
    """A batch on the meta device with all that examples of these facts have."""
    examples = _examples(facts)
    further = {name: _examples(domain) for name, domain in facts.further.items()}
    random = Randomness(0, count=_IMAGES, device="meta")
    return Batch(examples.images, examples.labels, random, examples.inputs, further)


def _examples(facts: DataFacts) -> Examples:
    labels = torch.zeros(_IMAGES, dtype=torch.int64, device="meta") if facts.classes else None
    inputs = {
        name: scale_input(torch.empty(_IMAGES, *of_input.shape, device="meta"), of_input)
        for name, of_input in facts.inputs.items()
    }
    return Examples(torch.empty(_IMAGES, *facts.shape, device="meta"), labels, inputs)


def _empty(part: nn.Module) -> PlayerDescription:
    return PlayerDescription(sum(p.numel() for p in part.parameters() if p.requires_grad))


def _describe(module: GANModule, player: str, batch: Batch) -> PlayerDescription:
    part = module.players()[player]
    description = _empty(part)
    seen: set[str] = set()

    def record(name: str, layer: nn.Module, output: Any) -> None:
        if name not in seen and isinstance(output, Tensor):
            seen.add(name)
            own = sum(p.numel() for p in layer.parameters() if p.requires_grad)
            activation = getattr(layer, "activation_name", "")
            description.layers.append(LayerDescription(name, _type(layer), activation, tuple(output.shape[1:]), own))

    with _recording(part, record):
        description.flops, description.input_shape = _first_pass(module, player, part, batch)
    return description


class _PlayerRan(Exception):  # noqa: N818 - a way out of the terms once the player has run
    """Raised when the player's first forward pass is over."""


def _first_pass(module: GANModule, player: str, part: nn.Module, batch: Batch) -> tuple[int, tuple[int, ...]]:
    """FLOPs per image and the input's shape of the player's first pass in its own terms, as in training."""
    counter, counting = FlopCounterMode(display=False), ExitStack()
    shapes: list[tuple[int, ...]] = []

    def enter(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        shapes.extend(tuple(value.shape[1:]) for value in inputs[:1] if isinstance(value, Tensor))
        counting.enter_context(counter)

    def leave(*_: Any) -> None:
        counting.close()
        raise _PlayerRan

    handles = [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
    try:
        with torch.no_grad():
            module.terms_of(player)(batch)
    except _PlayerRan:
        return counter.get_total_flops() // _IMAGES, shapes[0] if shapes else ()
    except (RuntimeError, NotImplementedError) as error:
        raise UserError(f"the {player} cannot be described without running it for real: {error}") from error
    finally:
        for handle in handles:
            handle.remove()
    raise UserError(f"the {player}'s terms never run the {player}")


@contextmanager
def _recording(part: nn.Module, record: Any) -> Iterator[None]:
    def hook(name: str) -> Any:
        return lambda layer, _, output: record(name, layer, output)

    handles = [layer.register_forward_hook(hook(name)) for name, layer in _layers(part, "")]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _layers(part: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    """Modules that do something themselves: they have no children but those that normalize their weight."""
    for name, child in part.named_children():
        if name == "parametrizations":
            continue
        parts = {inner for inner, _ in child.named_children()} - {"parametrizations"}
        if not parts or hasattr(child, "described_as"):
            yield prefix + name, child
        else:
            yield from _layers(child, f"{prefix}{name}.")


def _type(layer: nn.Module) -> str:
    """`Conv2d 3x3`, for example."""
    described = getattr(layer, "described_as", None)
    if isinstance(described, str):
        return described
    kernel = getattr(layer, "kernel_size", None)
    name = type(layer).__name__.removeprefix("Parametrized")
    return f"{name} {'x'.join(map(str, kernel))}" if isinstance(kernel, tuple) else name
