"""What the terms of every architecture must be: each its player's own, with the penalties and draws of that player."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, ClassVar
from unittest import SkipTest

import torch
from torch import Tensor

from ganlab.contracts import Batch, DataFacts, Views, WeightedRegularizer
from ganlab.data.loader import StepLoader
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.randomness import layer_draws
from ganlab.testing.examples import ExampleData, accepted_facts, example_module
from ganlab.training.module import GANModule


def check_terms(name: str) -> None:
    """Each term depends on the parameters of its player, or is a constant."""
    for module, batch in _examples(name):
        for player in module.player_names:
            with module.only(player):
                terms = terms_of(module, player, batch)
            for term, value in terms.items():
                assert _is_about(module, player, value), (
                    f"the term '{term}' of the {player} does not depend on the {player}'s parameters, so that nobody "
                    "learns from it: it belongs to another player's terms"
                )


def check_penalties(name: str) -> None:
    """A player's terms hold the penalties of its own side, and of no other."""
    for module, batch in _examples(name):
        sides = [side for side in module.provides if side in module.player_names]
        if not sides:
            raise SkipTest("provides no views to regularizers")
        module.regularizers = [
            WeightedRegularizer(f"of the {side}", _Probe(side))  # type: ignore[arg-type]
            for side in sides
        ]
        for player in sides:
            found = set(terms_of(module, player, batch))
            for side in sides:
                there = f"of the {side}" in found
                assert there or side != player, f"the {player}'s terms leave out the penalties of the {player}"
                assert not there or side == player, (
                    f"the {player}'s terms ask for the penalties of the {side}: write self.penalties('{player}', views)"
                )


def check_draws(name: str) -> None:
    """Terms and samples are functions of their random key alone, and not of torch's own generator."""
    for facts in facts_of(name):
        found: list[Mapping[str, Tensor]] = []
        for seed in range(2):
            module = example_module(name, facts)
            batch = _batch(module)
            torch.manual_seed(seed)
            found.append(
                {
                    f"the term '{term}' of the {player}": value.detach()
                    for player in module.player_names
                    for term, value in terms_of(module, player, batch).items()
                }
            )
        for what, value in found[0].items():
            assert torch.equal(value, found[1][what]), f"{what} draws {FROM_TORCH}"


FROM_TORCH = (
    "from torch's own generator, so that neither devices nor micro-batches nor a resumed run draw the same: take "
    "batch.random, views.random, or in layers ganlab.randomness.layer_normal and ganlab.nn.Dropout"
)


def facts_of(name: str) -> list[DataFacts]:
    """The example data that an architecture takes; its own `example_facts`, if its class has them."""
    return list(_facts_of(name, load(find("architectures", name))))


@cache
def _facts_of(name: str, architecture: Any) -> tuple[DataFacts, ...]:
    """Found once for all checks of an architecture, as each kind of data is tried by building a game on it."""
    own: DataFacts | None = getattr(architecture, "example_facts", None)
    if own is not None:
        return (own,)
    return tuple(facts for _, facts in accepted_facts(lambda facts: example_module(name, facts)))


def terms_of(module: GANModule, player: str, batch: Batch) -> Mapping[str, Tensor]:
    """A player's terms as an update computes them."""
    scoped = batch.scoped(player)
    with layer_draws(scoped.random.scoped("layers")):
        return module.terms_of(player)(scoped)


class _Probe:
    """A regularizer that needs nothing."""

    requires: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, side: str) -> None:
        self.side = side

    def penalty(self, views: Views) -> Tensor:
        return torch.zeros(())


def _examples(name: str) -> Iterator[tuple[GANModule, Batch]]:
    for facts in facts_of(name):
        module = example_module(name, facts)
        yield module, _batch(module)


def _batch(module: GANModule) -> Batch:
    loader = StepLoader(
        ExampleData(module.facts),
        step_size=module.step_size,
        seed=0,
        resolution=module.step_resolution,
        frames=module.step_frames,
    )
    return next(iter(loader)).map(module.in_order).batches(module.facts, 0)[-1]


def _is_about(module: GANModule, player: str, value: Tensor) -> bool:
    if not value.requires_grad:
        return True
    owned = module.trainable[player]
    return any(found is not None for found in torch.autograd.grad(value, owned, allow_unused=True, retain_graph=True))
