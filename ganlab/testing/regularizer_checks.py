"""What regularizers must do."""

from __future__ import annotations

from typing import Any
from unittest import SkipTest

import torch
from torch import Tensor, nn

from ganlab.contracts import Batch, DataFacts, Scores, Views, WeightedRegularizer
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.randomness import Randomness
from ganlab.testing.examples import build_example, example_settings, is_preset

_FACTS = DataFacts((1, 8, 8), 24, "example")


def check_penalty(name: str) -> None:
    """It reads only what it requires, and is a finite scalar with a gradient for its player.

    It is not negative, unless the regularizer says that it `is_reward`.
    """
    regularizer, game = _example(name)
    if not hasattr(regularizer, "penalty"):
        raise SkipTest("acts after updates only")
    penalty = regularizer.penalty(_views(game, regularizer))
    assert penalty.shape == (), f"penalty(views) returns the shape {tuple(penalty.shape)}, not a scalar"
    assert torch.isfinite(penalty), "penalty(views) is not finite"
    sign = -1 if getattr(regularizer, "is_reward", False) else 1
    assert sign * penalty >= 0, f"a penalty is not negative and a reward not positive, but this is {penalty.item():.4g}"
    penalty.backward()
    player = game.players()[regularizer.side]
    assert any(p.grad is not None for p in player.parameters()), f"no gradient reaches the {regularizer.side}"


def check_after_update(name: str) -> None:
    """What it does after an update keeps parameters finite, is done once and for all, and its state is saved."""
    regularizer, game = _example(name)
    if not hasattr(regularizer, "after_update"):
        raise SkipTest("does nothing after updates")
    _update(regularizer, game)
    player = game.players()[regularizer.side]
    before = [parameter.detach().clone() for parameter in player.parameters()]
    with torch.no_grad():
        regularizer.after_update(player)
    for old, new in zip(before, player.parameters(), strict=True):
        assert torch.isfinite(new).all(), "parameters are not finite"
        assert torch.equal(old, new), "called again, it changes the parameters again"
    if isinstance(regularizer, nn.Module) and hasattr(regularizer, "penalty"):
        _check_saved(name, regularizer, game)


def _check_saved(name: str, regularizer: Any, game: TwoPlayerGAN) -> None:
    copy, _ = _example(name)
    copy.load_state_dict(regularizer.state_dict())
    views = _views(game, regularizer)
    assert torch.equal(copy.penalty(views), regularizer.penalty(views)), "its state does not hold all of its memory"


def _update(regularizer: Any, game: TwoPlayerGAN) -> None:
    if hasattr(regularizer, "penalty"):
        regularizer.penalty(_views(game, regularizer))
    with torch.no_grad():
        regularizer.after_update(game.players()[regularizer.side])


def _example(name: str) -> tuple[Any, TwoPlayerGAN]:
    if is_preset("regularizers", name):
        raise SkipTest("a preset stands for other regularizers, which have checks of their own")
    regularizer = build_example("regularizers", name, _FACTS).regularizer
    game = small_game()
    missing = set(regularizer.requires) - game.provides[regularizer.side]
    if missing:
        raise SkipTest(f"the plain game does not offer {', '.join(sorted(missing))}: for its family's own tests")
    return regularizer, game


class _Probe:
    """A regularizer that keeps the views that it gets."""

    def __init__(self, side: str, requires: frozenset[str]) -> None:
        self.side = side
        self.requires = requires

    def penalty(self, views: Views) -> Tensor:
        self.views = Views(**{name: getattr(views, name) for name in self.requires})
        return torch.zeros(())


def _views(game: TwoPlayerGAN, regularizer: Any) -> Views:
    """What a regularizer requires of the plain game, and no more."""
    probe = _Probe(regularizer.side, frozenset(regularizer.requires))
    game.regularizers = [WeightedRegularizer("probe", probe)]  # type: ignore[arg-type]
    random = Randomness(0, count=6)
    batch = Batch(random.uniform("images", *_FACTS.shape) * 2 - 1, None, random)
    game.terms_of(regularizer.side)(batch)
    return probe.views


class _Critic:
    """The simplest loss."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return fake_logits.mean() - real_logits.mean()

    def generator(self, real_logits: Tensor | None, fake_logits: Tensor) -> Tensor:
        return -fake_logits.mean()


def small_game() -> TwoPlayerGAN:
    """The plain game with two small networks on grey images of 8 pixels."""

    class Generator(nn.Linear):
        latent_size = 4

        def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
            return super().forward(latents).tanh().view(-1, *_FACTS.shape)

    class Discriminator(nn.Sequential):
        def forward(self, images: Tensor, labels: Tensor | None = None) -> Scores:
            features = images
            for layer in list(self)[:-1]:
                features = layer(features)
            return Scores(logits=self[-1](features).flatten(), features=(features,))

    torch.manual_seed(0)
    layers = (nn.Flatten(), nn.Linear(_FACTS.dimensions, 8), nn.Softplus(), nn.Linear(8, 1))
    game = TwoPlayerGAN(Generator(4, _FACTS.dimensions), Discriminator(*layers), _Critic())
    game.prepare(example_settings(game, _FACTS))
    return game
