"""Where fakes have labels of their own, every penalty on them uses these, and penalties on reals the reals'."""

import pytest
import torch
from ganlab_objectives.consistency import Consistency
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.latent_consistency import LatentConsistency
from ganlab_objectives.latent_diversity import LatentDiversity
from ganlab_objectives.mode_seeking import ModeSeeking
from ganlab_objectives.path_length import PathLength
from ganlab_objectives.r1 import R1
from ganlab_objectives.r2 import R2

CLASSES, LATENT = 3, 4  # of the game in conftest.py
STEP = 1e-5


def brighter(images, random):
    return images + random.uniform("brightness").view(-1, 1, 1, 1)


class Hand:
    """What penalties are about, from the definition of the networks."""

    def __init__(self, game, batch):
        self.game = game
        self.random = batch.random.scoped("penalty")
        self.reals, self.labels = batch.images, batch.labels
        self.fake_labels = batch.random.integers("labels", CLASSES)
        self.latents = batch.random.normal("latents", LATENT)
        self.fakes = self.made(self.latents)
        assert (self.fake_labels != self.labels).any()

    def made(self, latents):
        rows = zip(latents, self.fake_labels, strict=True)
        return torch.stack([(z @ self.game.generator.weight[y]).tanh() for z, y in rows]).view(-1, 1, 3, 3)

    def judged(self, images, labels):
        rows = zip(images.flatten(1), labels, strict=True)
        return torch.stack([(x @ self.game.discriminator.weight[y]).tanh().sum() for x, y in rows])

    def slopes(self, images, labels):
        """W_y (1 - tanh^2(x W_y)) for each image."""
        weights = [self.game.discriminator.weight[y] for y in labels]
        rows = zip(images.detach().flatten(1), weights, strict=True)
        return torch.stack([w @ (1 - (x @ w).tanh().square()) for x, w in rows])

    def change(self, changed):
        fakes = self.fakes.detach()
        return (self.judged(fakes, self.fake_labels) - self.judged(changed.detach(), self.fake_labels)).square().mean()

    @property
    def nearby(self):
        return self.made(self.latents + 0.05 * self.random.normal("latent_offset", LATENT))


def half_squares(slopes):
    return slopes.square().sum(1).mean() / 2


DISCRIMINATOR = {
    "r1": (R1(), lambda hand: half_squares(hand.slopes(hand.reals, hand.labels))),
    "r1 by differences": (R1(STEP), lambda hand: half_squares(hand.slopes(hand.reals, hand.labels))),
    "r2": (R2(), lambda hand: half_squares(hand.slopes(hand.fakes, hand.fake_labels))),
    "r2 by differences": (R2(STEP), lambda hand: half_squares(hand.slopes(hand.fakes, hand.fake_labels))),
    "gradient penalty at fakes": (
        GradientPenalty(at="fakes"),
        lambda hand: (hand.slopes(hand.fakes, hand.fake_labels).norm(dim=1) - 1).square().mean(),
    ),
    "gradient penalty at reals": (
        GradientPenalty(at="reals"),
        lambda hand: (hand.slopes(hand.reals, hand.labels).norm(dim=1) - 1).square().mean(),
    ),
    "consistency of fakes": (
        Consistency((1, 3, 3), brighter, reals=0.0, fakes=1.0),
        lambda hand: hand.change(brighter(hand.fakes, hand.random.scoped("consistency", "fakes"))),
    ),
    "latent consistency": (LatentConsistency(), lambda hand: hand.change(hand.nearby)),
}


def distances(first, second):
    return (first - second).abs().flatten(1).mean(1)


def inverse_ratio(hand):
    others = hand.random.scoped("mode_seeking").normal("latents", LATENT)
    return 1 / ((distances(hand.fakes, hand.made(others)) / distances(hand.latents, others)).mean() + 1e-5)


def lengths_apart(hand):
    noise = hand.random.normal("path_length", 1, 3, 3).flatten(1) / 3
    rows = zip(hand.fakes.flatten(1), noise, hand.fake_labels, strict=True)
    weights = hand.game.generator.weight
    lengths = torch.stack([(weights[y] @ ((1 - x.square()) * n)).norm() for x, n, y in rows])
    return (lengths - lengths.mean()).square().mean()


GENERATOR = {
    "latent diversity": (LatentDiversity(), lambda hand: -(hand.fakes - hand.nearby).square().mean()),
    "mode seeking": (ModeSeeking(), inverse_ratio),
    "path length": (PathLength(decay=1.0, shrink=1), lengths_apart),
}


@pytest.mark.parametrize("name", [*DISCRIMINATOR, *GENERATOR])
def test_penalties_are_those_computed_by_hand(name, double, conditional_game, labelled_batch):
    regularizer, by_hand = (DISCRIMINATOR | GENERATOR)[name]
    game = conditional_game(regularizer, fake_labels="uniform")
    weight = getattr(game, regularizer.side).weight
    found = game.terms_of(regularizer.side)(labelled_batch)[type(regularizer).__name__]
    expected = by_hand(Hand(game, labelled_batch))
    assert expected.abs() > 1e-4
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)
    gradients = [torch.autograd.grad(value, weight)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-8)
