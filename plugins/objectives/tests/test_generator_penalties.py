"""Mode seeking and feature matching."""

import pytest
import torch
from ganlab_objectives.feature_matching import FeatureMatching
from ganlab_objectives.mode_seeking import ModeSeeking

from ganlab.contracts import Views
from ganlab.errors import UserError
from ganlab.randomness import Randomness

COUNT, LATENT = 4, 3


def distance(first, second):
    pairs = zip(first.flatten().tolist(), second.flatten().tolist(), strict=True)
    return sum(abs(a - b) for a, b in pairs) / first.numel()


def test_mode_seeking_of_a_linear_generator():
    torch.manual_seed(0)
    matrix = torch.randn(LATENT, 5, dtype=torch.float64, requires_grad=True)
    z, random = torch.randn(COUNT, LATENT, dtype=torch.float64), Randomness(0, count=COUNT)

    def draw(random):
        return random.normal("latents", LATENT).double()

    def generate(latents):
        return latents @ matrix

    others = draw(random.scoped("mode_seeking"))
    assert not torch.equal(others, z)
    views = Views(latents=z, fake_images=generate(z), generate=generate, draw_latents=draw, random=random)
    penalty = ModeSeeking().penalty(views)
    ratios = [
        distance(z[n] @ matrix.detach(), others[n] @ matrix.detach()) / distance(z[n], others[n]) for n in range(COUNT)
    ]
    assert abs(penalty.item() - 1 / (sum(ratios) / COUNT + 1e-5)) < 1e-12
    (gradient,) = torch.autograd.grad(penalty, matrix)
    # Twice the matrix makes images twice as far apart, so the penalty falls along the matrix.
    expected = -(penalty.item() ** 2) * sum(ratios) / COUNT
    torch.testing.assert_close((gradient * matrix).sum().item(), expected)


def test_mode_seeking_of_a_collapsed_generator_is_finite():
    z, random = torch.randn(COUNT, LATENT), Randomness(0, count=COUNT)
    bias = torch.zeros(2, requires_grad=True)

    def generate(latents):
        return bias.expand(len(latents), 2)

    views = Views(
        latents=z,
        fake_images=generate(z),
        generate=generate,
        draw_latents=lambda random: random.normal("latents", LATENT),
        random=random,
    )
    penalty = ModeSeeking().penalty(views)
    penalty.backward()
    torch.testing.assert_close(penalty, torch.tensor(1e5))
    assert torch.isfinite(bias.grad).all()


def test_feature_matching_compares_means_of_features():
    torch.manual_seed(0)
    real, fake = torch.randn(COUNT, 2, dtype=torch.float64), torch.randn(COUNT, 2, dtype=torch.float64)
    fake.requires_grad_()
    # Of several layers the last one counts.
    earlier, real_last, fake_last = torch.ones(COUNT, 7), *(torch.stack([x**2, 3 * x], 2) for x in (real, fake))
    views = Views(real_features=(earlier, real_last), fake_features=(-earlier, fake_last))
    penalty = FeatureMatching().penalty(views)
    squares, means = (fake**2 - real**2).mean(0).detach(), 3 * (fake - real).mean(0).detach()
    torch.testing.assert_close(penalty.detach(), squares.square().sum() + means.square().sum())
    (gradient,) = torch.autograd.grad(penalty, fake)
    expected = (2 * squares * 2 * fake.detach() + 2 * means * 3) / COUNT
    torch.testing.assert_close(gradient, expected)


def test_feature_matching_without_features_says_what_is_missing():
    with pytest.raises(UserError, match="'feature_matching' needs a discriminator that returns its features"):
        FeatureMatching().penalty(Views(real_features=(), fake_features=()))
