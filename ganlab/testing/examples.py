"""Smallest instances: data made from noise, and plugins built from their `example` as from a spec."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganlab.builder import Builder
from ganlab.contracts import DataFacts, PlayerOptimizer, Preset
from ganlab.errors import SpecError, UserError
from ganlab.facts import InputFacts
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.randomness import derive_seed
from ganlab.spec import node_from
from ganlab.spec.model import Node
from ganlab.training.guard import Guard
from ganlab.training.module import GANModule
from ganlab.training.optimizers import adam
from ganlab.training.settings import TrainingSettings

EXAMPLE_FACTS: Mapping[str, DataFacts] = {
    "images with classes": DataFacts((3, 16, 16), 24, "example", class_names=("a", "b", "c")),
    "grey images": DataFacts((1, 16, 16), 24, "example"),
    "vectors": DataFacts((2,), 24, "example", value_range=(-1.0, 1.0)),
}
"""Kinds of data that a plugin is tried on; it may refuse some with a `UserError`, not all."""


class ExampleData:
    """Noise that has the given facts: inputs, further domains and held-out examples as they tell of them."""

    def __init__(self, facts: DataFacts, scope: str = "example") -> None:
        self.facts = facts
        self._scope = scope
        self.images = self._noise("images", facts.shape, facts.value_range, whole=facts.is_images)
        self.inputs = {name: self._input(name, of_input) for name, of_input in facts.inputs.items()}
        self.further = {name: ExampleData(domain, f"{scope}/{name}") for name, domain in facts.further.items()}
        self.held_out: ExampleData | None = None
        if facts.held_out is not None:
            self.held_out = ExampleData(replace(facts, fingerprint=facts.held_out, held_out=None), f"{scope}/held out")

    def __len__(self) -> int:
        return self.facts.size

    def __getitem__(self, index: int) -> Mapping[str, Any]:
        example: dict[str, Any] = {"images": self.images[index]}
        example |= {name: values[index] for name, values in self.inputs.items()}
        return example | ({"label": index % self.facts.classes} if self.facts.classes else {})

    def _input(self, name: str, facts: InputFacts) -> Tensor:
        if facts.kind == "maps":
            return self._noise(name, facts.shape, (0.0, float(facts.classes or 2)), whole=True)
        if facts.kind == "images":
            return self._noise(name, facts.shape, facts.value_range, whole=facts.value_range == (0.0, 255.0))
        noise = self._noise(name, facts.shape, (-1.0, 1.0), whole=False)
        if facts.kind == "flows":
            noise[..., 2, :, :] = (noise[..., 2, :, :] > 0).to(noise)
        return noise

    def _noise(self, name: str, shape: tuple[int, ...], within: tuple[float, float], *, whole: bool) -> Tensor:
        key: tuple[int | str, ...] = shape
        if (self._scope, name) != ("example", "images"):
            key = (self._scope, name, *shape)
        generator = torch.Generator().manual_seed(derive_seed("example", *key))
        low, high = within
        noise = torch.rand((self.facts.size, *shape), generator=generator) * (high - low) + low
        return noise.to(torch.uint8) if whole else noise


def is_preset(kind: str, name: str) -> bool:
    """Whether a plugin stands for several nodes and is not built itself."""
    return inspect.signature(load(find(kind, name))).return_annotation in (Preset, "Preset")


def example_node(kind: str, name: str) -> Node:
    """The node of a plugin with the options of its `example`."""
    plugin = find(kind, name)
    return node_from(kind, {"name": plugin.reference, **getattr(load(plugin), "example", {})})


def build_example(kind: str, name: str, facts: DataFacts) -> Any:
    """A plugin's smallest instance for data with these facts. Raises `UserError` if it refuses such data."""
    torch.manual_seed(0)
    return Builder(facts).construct(example_node(kind, name), kind)


def accepted_facts(build: Callable[[DataFacts], Any]) -> Iterator[tuple[str, DataFacts]]:
    """The kinds of example data that a plugin takes. Raises the last refusal if it takes none."""
    refusal: UserError | None = None
    accepted = 0
    for name, facts in EXAMPLE_FACTS.items():
        try:
            build(facts)
        except UserError as error:
            refusal = error
            continue
        accepted += 1
        yield name, facts
    if refusal is not None and not accepted:
        raise SpecError(f"refuses all example data; the last refusal: {refusal}")


def example_module(name: str, facts: DataFacts, seed: int = 0, **settings: Any) -> GANModule:
    """An architecture's smallest instance, prepared for training with Adam."""
    node = example_node("architectures", name)
    torch.manual_seed(derive_seed(seed, "initialisation"))
    builder = Builder(facts)
    module: GANModule = builder.construct(node, "architecture")
    module.prepare(example_settings(module, facts, seed=seed, schedules=builder.scheduled, **settings))
    return module


def example_settings(module: GANModule, facts: DataFacts, **changes: Any) -> TrainingSettings:
    """Settings for short trainings with Adam, and any changes to them."""
    values: dict[str, Any] = {
        "facts": facts,
        "optimizers": {
            player: PlayerOptimizer(partial(adam, lr=1e-3, betas=(0.0, 0.99))) for player in module.player_names
        },
        "batch_size": 8,
        "guard": Guard("stop"),
    }
    return TrainingSettings(**(values | changes))
