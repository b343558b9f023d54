"""The step of latents against closed forms in float64, and the gradient through it against differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_objectives.latent_optimisation import LatentOptimisation

from ganlab.contracts import Fakes, Scores
from ganlab.errors import UserError
from ganlab.randomness import Randomness

SIZE, COUNT = 5, 6


@pytest.fixture(autouse=True)
def _in_float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


class Quadratic:
    """Images are A z, logits -|x - c|^2 / 2: everything has a closed form."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(SIZE, SIZE, generator=generator).requires_grad_()
        self.centre = torch.randn(SIZE, generator=generator).requires_grad_()

    def make(self, latents):
        return Fakes(images=latents @ self.weight.t(), latents=latents)

    def judge(self, fakes):
        return Scores(logits=-(fakes.images - self.centre).square().sum(1) / 2)

    def run(self, wrapper):
        random = Randomness(0, count=COUNT)
        self.latents = random.normal("latents", SIZE)
        return wrapper(self.make, self.latents, judge=self.judge, random=random.scoped("wrapper"))

    def change(self, step, damping=None):
        """By NumPy; the natural gradient through the inverse of the damped Fisher matrix itself."""
        z, a, c = self.latents.numpy(), self.weight.detach().numpy(), self.centre.detach().numpy()
        gradients = -(z @ a.T - c) @ a
        if damping is None:
            return step * gradients
        fisher = [np.outer(g, g) + damping * np.eye(SIZE) for g in gradients]
        return step * np.stack([np.linalg.solve(f, g) for f, g in zip(fisher, gradients, strict=True)])


@pytest.mark.parametrize(("method", "damping"), [("natural", 0.7), ("gradient", None)])
def test_a_step_is_that_of_the_paper(method, damping):
    game = Quadratic()
    wrapper = LatentOptimisation(method, step=0.3, damping=damping or 1.0, share=1.0, charge=2.0)
    made = game.run(wrapper)
    change = game.change(0.3, damping)
    np.testing.assert_allclose(made.latents.detach().numpy(), game.latents.numpy() + change, rtol=1e-12)
    assert made.terms["latent_change"].item() == pytest.approx(2.0 * (change**2).sum(1).mean(), rel=1e-12)


@pytest.mark.parametrize("method", ["natural", "gradient"])
@pytest.mark.parametrize("player", ["weight", "centre"])
def test_both_players_differentiate_through_the_step(method, player):
    """Against central differences of the whole, step included; leaving the step out is clearly something else."""
    game, wrapper = Quadratic(), LatentOptimisation(method, step=0.2, damping=0.5, share=1.0, charge=0.3)

    def term():
        made = game.run(wrapper)
        return game.judge(made).logits.mean() + made.terms["latent_change"]

    parameter = getattr(game, player)
    (found,) = torch.autograd.grad(term(), parameter)
    expected, eps = torch.zeros_like(parameter), 1e-6
    for index in np.ndindex(*parameter.shape):
        with torch.no_grad():
            parameter[index] += eps
        above = term().item()
        with torch.no_grad():
            parameter[index] -= 2 * eps
        below = term().item()
        with torch.no_grad():
            parameter[index] += eps
        expected[index] = (above - below) / (2 * eps)
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)
    fixed = game.run(wrapper).latents.detach()
    (without,) = torch.autograd.grad(game.judge(game.make(fixed)).logits.mean(), parameter)
    assert (without - expected).norm() > 1e-3 * expected.norm()


def test_fakes_look_more_real_afterwards():
    game = Quadratic()
    made = game.run(LatentOptimisation("gradient", step=0.02, share=1.0))
    before = game.judge(game.make(game.latents)).logits
    assert (game.judge(made).logits > before).all()


def test_a_share_of_the_numbers_or_of_the_images_is_moved():
    game = Quadratic()
    of_numbers = game.run(LatentOptimisation(share=0.5)).latents != game.latents
    of_images = game.run(LatentOptimisation(share=0.5, share_of="images")).latents != game.latents
    assert 0.2 < of_numbers.double().mean() < 0.8
    assert not torch.equal(of_numbers.all(1), of_numbers.any(1))
    assert torch.equal(of_images.all(1), of_images.any(1))
    assert 0 < of_images.any(1).sum() < COUNT
    assert torch.equal(game.run(LatentOptimisation(share=0.0)).latents, game.latents)


def test_moved_latents_stay_within_their_limits():
    game = Quadratic()
    made = game.run(LatentOptimisation("gradient", step=100.0, share=1.0, limits=(-1.0, 1.0)))
    assert made.latents.abs().max() == 1
    with pytest.raises(UserError, match=r"'limits' is \[low, high\] with low below high, not \[1.0, -1.0\]"):
        LatentOptimisation(limits=(1.0, -1.0))
