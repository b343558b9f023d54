"""Layer tables of an architecture's players, from one pass on the meta device: shapes without memory or arithmetic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from ganlab.build import build_architecture
from ganlab.contracts import Batch, DataFacts
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.spec.model import Spec
from ganlab.training.module import GANModule

_IMAGES = 4  # enough for minibatch statistics; figures are divided by it


@dataclass(frozen=True)
class LayerDescription:
    """One layer with parameters of its own, or without children; its output shape leaves out the batch."""

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass
class PlayerDescription:
    """A player's layers in the order in which they ran; FLOPs of one forward pass per image."""

    parameters: int
    flops: int = 0
    layers: list[LayerDescription] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


def describe_players(spec: Spec, facts: DataFacts) -> dict[str, PlayerDescription]:
    """Tables of all players of a spec at the end of training, for data with these facts; all on the meta device."""
    with torch.device("meta"):
        module, _ = build_architecture(spec, facts)
    module.clock.images_seen = spec.total_images
    players = {name: _empty(part) for name, part in module.players().items()}
    batch = Batch(
        images=torch.empty(_IMAGES, *facts.shape, device="meta"),
        labels=torch.zeros(_IMAGES, dtype=torch.int64, device="meta") if facts.classes else None,
        random=Randomness(0, count=_IMAGES, device="meta"),
    )
    for name in players:
        players[name] = _describe(module, name, batch)
    return players


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
            description.layers.append(LayerDescription(name, _type(layer), tuple(output.shape[1:]), own))

    with _recording(part, record):
        description.flops = _first_pass(module, player, part, batch) // _IMAGES
    return description


class _PlayerRan(Exception):  # noqa: N818 - a way out of the terms once the player has run
    """Raised when the player's first forward pass is over."""


def _first_pass(module: GANModule, player: str, part: nn.Module, batch: Batch) -> int:
    """FLOPs of the player's first pass in its own terms, where it gets the inputs that it gets in training."""
    counter, counting = FlopCounterMode(display=False), ExitStack()

    def enter(*_: Any) -> None:
        counting.enter_context(counter)

    def leave(*_: Any) -> None:
        counting.close()
        raise _PlayerRan

    handles = [part.register_forward_pre_hook(enter), part.register_forward_hook(leave)]
    try:
        with torch.no_grad():
            module.terms_of(player)(batch)
    except _PlayerRan:
        return counter.get_total_flops()
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

    handles = [
        layer.register_forward_hook(hook(name))
        for name, layer in part.named_modules()
        if name and _is_layer(layer) and "parametrizations" not in name
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _is_layer(layer: nn.Module) -> bool:
    """A module that does something itself: it has no children but those that normalize its weight."""
    return all(name == "parametrizations" for name, _ in layer.named_children())


def _type(layer: nn.Module) -> str:
    return type(layer).__name__.removeprefix("Parametrized")
