"""What regularizers must do, each in the plain game, or in an installed game that offers the views it requires."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast
from unittest import SkipTest

import torch
from torch import Tensor, nn

from ganlab.contracts import Batch, DataFacts, Scores, Views, WeightedRegularizer
from ganlab.data.scaling import scale, scale_input
from ganlab.errors import DataMissing, UserError
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.plugin_contracts import load
from ganlab.plugins import find, installed
from ganlab.randomness import Randomness
from ganlab.testing.examples import (
    EXAMPLE_FACTS,
    ExampleData,
    build_example,
    example_module,
    example_settings,
    is_preset,
)
from ganlab.testing.term_checks import FROM_TORCH, terms_of
from ganlab.testing.training import NOT_SAVED, differing, plain_steps, resumed, state_of
from ganlab.training.module import GANModule

_FACTS = DataFacts((1, 8, 8), 24, "example")
_CLASSES = DataFacts((1, 8, 8), 24, "example", class_names=("a", "b", "c"))
_BEFORE, _AFTER = 6, 8


def check_penalty(name: str) -> None:
    """It reads only what it requires, and is a finite scalar with a gradient for its player.

    It is not negative, unless the regularizer says that it `is_reward`.
    """
    for regularizer, game in _penalties(name):
        penalty = regularizer.penalty(views_for(game, regularizer))
        assert penalty.shape == (), f"penalty(views) returns the shape {tuple(penalty.shape)}, not a scalar"
        assert torch.isfinite(penalty), "penalty(views) is not finite"
        sign = -1 if getattr(regularizer, "is_reward", False) else 1
        assert sign * penalty >= 0, (
            f"a penalty is not negative and a reward not positive, but this is {penalty.item():.4g}"
        )
        penalty.backward()
        player = game.players()[regularizer.side]
        assert any(p.grad is not None for p in player.parameters()), f"no gradient reaches the {regularizer.side}"


def check_penalty_draws(name: str) -> None:
    """Its draws are a function of `views.random`, and not of torch's own generator."""
    values = []
    for seed in range(2):
        regularizer, game = next(_penalties(name))
        views = views_for(game, regularizer)
        torch.manual_seed(seed)
        values.append(regularizer.penalty(views).detach())
    assert torch.equal(*values), f"penalty(views) draws {FROM_TORCH}"


def check_own_labels(name: str) -> None:
    """It works where fakes have labels of their own: each image is judged with the labels that belong to it."""
    _penalties_of(name)
    game = small_game(_CLASSES, fake_labels="uniform")
    regularizer = _built(name, game, _CLASSES)
    if regularizer is None:
        raise SkipTest("asks for views of another game")
    try:
        penalty = regularizer.penalty(views_for(game, regularizer))
    except UserError as error:
        raise AssertionError(f"in a game whose fakes have labels of their own: {error}") from error
    assert torch.isfinite(penalty), "penalty(views) is not finite in a game whose fakes have labels of their own"


def check_after_update(name: str) -> None:
    """What it does after an update keeps parameters finite, and is done once and for all."""
    regularizer, game = next(examples(name))
    if not hasattr(regularizer, "after_update"):
        raise SkipTest("does nothing after updates")
    player = game.players()[regularizer.side]
    if hasattr(regularizer, "penalty"):
        regularizer.penalty(views_for(game, regularizer))
    with torch.no_grad():
        regularizer.after_update(player)
        before = [parameter.detach().clone() for parameter in player.parameters()]
        regularizer.after_update(player)
    for old, new in zip(before, player.parameters(), strict=True):
        assert torch.isfinite(new).all(), "parameters are not finite"
        assert torch.equal(old, new), "called again, it changes the parameters again"


def check_memory(name: str) -> None:
    """A training with it goes on from a checkpoint as if it had not been interrupted, to the last bit."""
    module, other = (_with(*next(examples(name))) for _ in range(2))
    other = resumed(plain_steps(module, _BEFORE), other)
    different = differing(state_of(plain_steps(module, _AFTER)), state_of(plain_steps(other, _AFTER)))
    assert not different, (
        f"after {_BEFORE} updates and a checkpoint, {_AFTER} more give another {different[:3]}: {NOT_SAVED}"
    )


def _with(regularizer: Any, game: GANModule) -> GANModule:
    game.regularizers = [WeightedRegularizer("example", regularizer)]
    game.prepare(game.settings)
    return game


def _penalties_of(name: str) -> None:
    if is_preset("regularizers", name):
        raise SkipTest("a preset stands for other regularizers, which have checks of their own")
    if not hasattr(load(find("regularizers", name)), "penalty"):
        raise SkipTest("acts after updates only")


def _penalties(name: str) -> Iterator[tuple[Any, GANModule]]:
    _penalties_of(name)
    return examples(name)


def examples(name: str) -> Iterator[tuple[Any, GANModule]]:
    """The regularizer and a game that offers what it requires: the plain one, or else the first installed one."""
    if is_preset("regularizers", name):
        raise SkipTest("a preset stands for other regularizers, which have checks of their own")
    plain = small_game()
    regularizer = _built(name, plain, _FACTS)
    if regularizer is not None:
        yield regularizer, plain
        return
    for architecture in installed("architectures"):
        for facts in EXAMPLE_FACTS.values():
            try:
                game = example_module(architecture.reference, facts)
            except UserError:
                continue
            regularizer = _built(name, game, facts)
            if regularizer is not None:
                yield regularizer, game
                return
    raise SkipTest("no installed game offers the views that it requires")


def _built(name: str, game: GANModule, facts: DataFacts) -> Any:
    """The regularizer, if the game offers what it requires of it."""
    try:
        regularizer = build_example("regularizers", name, facts).regularizer
    except DataMissing as error:
        raise SkipTest(f"needs files: {error}") from error
    provided: Mapping[str, frozenset[str]] = game.provides
    return regularizer if set(regularizer.requires) <= provided.get(regularizer.side, frozenset()) else None


class _Probe:
    """A regularizer that keeps the views that it gets."""

    def __init__(self, side: str, requires: frozenset[str]) -> None:
        self.side = side
        self.requires = requires

    def penalty(self, views: Views) -> Tensor:
        self.views = Views(**{name: getattr(views, name) for name in self.requires})
        return torch.zeros(())


def views_for(game: GANModule, regularizer: Any) -> Views:
    """What a regularizer requires of the game, and no more."""
    probe = _Probe(regularizer.side, frozenset(regularizer.requires))
    game.regularizers = [WeightedRegularizer("probe", probe)]  # type: ignore[arg-type]
    data, random = ExampleData(game.facts), Randomness(0, count=6)
    labels = torch.arange(6) % game.facts.classes if game.facts.classes else None
    images = scale(data.images[:6], game.facts.value_range)
    inputs = {key: scale_input(data.inputs[key][:6], of_input) for key, of_input in game.facts.inputs.items()}
    terms_of(game, regularizer.side, Batch(game.in_order(images), labels, random, inputs))
    assert hasattr(probe, "views"), f"the {regularizer.side}'s terms of {type(game).__name__} ask for no penalties"
    return probe.views


class _Critic:
    """The simplest loss."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits.mean() - real_logits.mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits.mean()


def small_game(facts: DataFacts = _FACTS, **options: Any) -> TwoPlayerGAN:
    """The plain game with two small networks on grey images of 8 pixels, which judge labels if there are any."""
    torch.manual_seed(0)
    game = TwoPlayerGAN(_Painter(facts), _Judge(facts), _Critic(), **options)
    game.prepare(example_settings(game, facts))
    return game


class _Painter(nn.Module):
    latent_size = 4

    def __init__(self, facts: DataFacts) -> None:
        super().__init__()
        self.shape = facts.shape
        self.layer = nn.Linear(4, facts.dimensions)
        self.embed = nn.Embedding(max(1, facts.classes), 4)

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        classes = 0 if labels is None else self.embed(labels)
        return cast(Tensor, self.layer(latents + classes).tanh().view(-1, *self.shape))


class _Judge(nn.Module):
    def __init__(self, facts: DataFacts) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(facts.dimensions, 8), nn.Softplus())
        self.embed = nn.Embedding(max(1, facts.classes), 8)
        self.last = nn.Linear(8, 1)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
        features = self.layers(images)
        classes = 0 if labels is None else self.embed(labels)
        return Scores(logits=self.last(features + classes).flatten(), features=(features,))
