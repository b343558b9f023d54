"""Networks that nobody means are refused before they take memory or time, whatever their options are called."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ganlab import builder, network_size
from ganlab.builder import Builder
from ganlab.errors import SpecError
from ganlab.plugin_contracts import load
from ganlab.plugins import installed
from ganlab.spec import node_from
from ganlab.spec.annotations import in_words
from ganlab.spec.constructor import constructor_of
from ganlab.spec.model import Node, TrainerSection
from ganlab.testing.examples import EXAMPLE_FACTS
from tests.tiny import tiny_gan

HUGE = 10_000_000
KINDS = ("generators", "discriminators")


class Tower(nn.Module):
    def __init__(self, width: int = 4, depth: int = 1, sizes: tuple[int, ...] = (1,)) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(width, width) for _ in range(depth)])
        self.register_buffer("table", torch.empty(*sizes))


@pytest.fixture
def towers(monkeypatch) -> Builder:
    monkeypatch.setattr(network_size, "LAYERS", 300)  # made in no time
    monkeypatch.setattr(builder, "load_factory", lambda node: Tower)
    return Builder(None)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"width": HUGE}, r"^architecture.generator: tower would have more than 10,000,000,000 parameters; choose "
         r"smaller options \(width 10000000\)$"),
        ({"depth": HUGE, "width": 8}, r"more than 300 tensors; .* \(depth 10000000, width 8\)$"),
        ({"sizes": [HUGE, 2000]}, r"more than 10,000,000,000 parameters; .* \(sizes 10000000, sizes 2000\)$"),
    ],
)  # fmt: skip
def test_a_network_beyond_measure_is_refused_with_its_numbers(towers, options, sentence) -> None:
    with torch.device("meta"), pytest.raises(SpecError, match=sentence):
        towers.construct(Node("generators", "tower", options), "architecture.generator")


def test_each_network_is_counted_for_itself_and_no_longer_than_it_is_built(towers, monkeypatch) -> None:
    monkeypatch.setattr(network_size, "NUMBERS", 50)
    made = [towers.construct(Node("generators", "tower", {"width": 6}), "architecture.generator") for _ in range(3)]
    numbers = [sum(weights.numel() for weights in network.parameters()) for network in made]
    assert max(numbers) <= 50 < sum(numbers)
    assert nn.Linear(60, 60).weight.numel() > 50


def test_players_that_do_not_fit_into_memory_are_refused(monkeypatch) -> None:
    module, section = tiny_gan(), TrainerSection(accelerator="cpu")
    network_size.check_memory(module, section)
    monkeypatch.setattr(network_size, "memory_of", lambda section: 16)
    with pytest.raises(
        SpecError, match=r"weights and gradients of the players alone .* \(discriminator .* GiB, generator .* GiB\)"
    ):
        network_size.check_memory(module, section)


def integers() -> list[Any]:
    """Every option of an installed network that holds integers, and is not taken from the data."""
    return [
        pytest.param(plugin, option.name, id=f"{kind}-{plugin.name}-{option.name}")
        for kind in KINDS
        for plugin in installed(kind)
        for option in constructor_of(plugin).options.values()
        if "integer" in in_words(option.annotation) and not option.injected
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("plugin", "option"), integers())
def test_no_integer_of_an_installed_network_takes_memory_or_time_without_bound(plugin, option) -> None:
    for value in (HUGE, [HUGE], [HUGE, HUGE]):
        for facts in EXAMPLE_FACTS.values():
            try:
                node = node_from(
                    plugin.kind, {"name": plugin.reference, **getattr(load(plugin), "example", {}), option: value}
                )
                with torch.device("meta"):
                    network = Builder(facts).construct(node, plugin.kind)
            except SpecError:
                continue
            assert sum(part.numel() for part in network.parameters()) <= network_size.NUMBERS
