"""Scheduled options: what the platform sets on an object has to be read whenever it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor

from ganlab.builder import Builder
from ganlab.errors import UserError
from ganlab.facts import DataFacts
from ganlab.plugin_contracts import load
from ganlab.plugins import find
from ganlab.spec import node_from
from ganlab.spec.annotations import may_be_scheduled
from ganlab.spec.constructor import constructor_of
from ganlab.testing.examples import EXAMPLE_FACTS, is_preset
from ganlab.testing.regularizer_checks import examples, views_for


def check_loss_schedules(name: str) -> None:
    """Options that follow schedules are attributes of their names, read at each use."""
    if is_preset("losses", name):
        raise SkipTest("a preset stands for other losses, which have checks of their own")
    facts = EXAMPLE_FACTS["grey images"]

    def use(loss: Any) -> Tensor:
        real, fake = torch.linspace(-2, 1, 4), torch.linspace(2, -1, 4)
        reals = real if getattr(loss, "needs_real_logits", False) else None
        return torch.stack([loss.discriminator(real, fake), loss.generator(reals, fake)])

    _check("losses", name, facts, use)


def check_regularizer_schedules(name: str) -> None:
    """Options that follow schedules are attributes of their names, read at each use."""
    facts = next(examples(name))[1].facts

    def use(regularizer: Any) -> Tensor:
        _, game = next(examples(name))
        player, results = game.players()[regularizer.side], [torch.zeros(1)]
        if hasattr(regularizer, "penalty"):
            results.append(regularizer.penalty(views_for(game, regularizer)).detach()[None])
        if hasattr(regularizer, "after_update"):
            with torch.no_grad():
                regularizer.after_update(player)
            results += [parameter.detach().flatten() for parameter in player.parameters()]
        return torch.cat(results)

    _check("regularizers", name, facts, use)


def _check(kind: str, name: str, facts: DataFacts, use: Callable[[Any], Tensor]) -> None:
    made = _made(kind, name, facts)
    options = constructor_of(find(kind, name)).options.values()
    scheduled = [option for option in options if may_be_scheduled(option.annotation)]
    for option in scheduled:
        assert hasattr(made, option.name), (
            f"the option '{option.name}' may follow a schedule, but there is no attribute '{option.name}' to set it on"
        )
    if not scheduled:
        raise SkipTest("has no options that may follow a schedule")
    read = _read(made, use)
    for option in scheduled:
        value = getattr(made, option.name)
        if option.name in read or not isinstance(value, int | float):
            continue
        try:
            other = _made(kind, name, facts, **{option.name: value / 2 or 0.5})
        except UserError:
            continue
        assert torch.equal(use(other), use(_made(kind, name, facts))), (
            f"the option '{option.name}' may follow a schedule, but is read in the constructor only: read "
            f"self.{option.name} where it is used"
        )


def _made(kind: str, name: str, facts: DataFacts, **options: Any) -> Any:
    plugin = find(kind, name)
    node = node_from(kind, {"name": plugin.reference, **getattr(load(plugin), "example", {}), **options})
    torch.manual_seed(0)
    made = Builder(facts).construct(node, kind)
    return made.regularizer if kind == "regularizers" else made


def _read(made: Any, use: Callable[[Any], Tensor]) -> set[str]:
    """The attributes of an object that are read while it is used."""
    read: set[str] = set()
    own = type(made)

    def noted(self: Any, name: str) -> Any:
        read.add(name)
        return object.__getattribute__(self, name)

    made.__class__ = type(own.__name__, (own,), {"__getattribute__": noted})
    try:
        use(made)
    finally:
        made.__class__ = own
    return read
