"""Lazy penalties in the platform's training step, against their plain selves."""

import pytest
import torch
from ganlab_objectives.drift import Drift
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.r1 import R1

from ganlab.contracts import Batch, WeightedRegularizer
from ganlab.randomness import Randomness
from ganlab.testing.regularizer_checks import small_game

CYCLE = 4


def gradient(game, update):
    """The gradient of all penalties in one of the discriminator's updates, at the weights as they are."""
    random = Randomness(0, count=6)
    batch = Batch(random.uniform("images", 1, 8, 8) * 2 - 1, None, random)
    game.clock.updates["discriminator"] = update
    terms = game.discriminator_terms(batch)
    total = sum(value for name, value in terms.items() if name != "loss")
    if not isinstance(total, torch.Tensor):
        return torch.zeros(sum(parameter.numel() for parameter in game.discriminator.parameters()))
    parts = torch.autograd.grad(total, list(game.discriminator.parameters()), materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


@pytest.mark.parametrize("kind", [R1, GradientPenalty, Drift])
def test_over_a_cycle_the_gradient_is_the_one_of_every_update(kind):
    game = small_game().double()
    torch.set_default_dtype(torch.float64)
    try:
        game.regularizers = [WeightedRegularizer("lazy", kind(), weight=0.7, every=CYCLE)]
        lazy = [gradient(game, update) for update in range(CYCLE)]
        game.regularizers = [WeightedRegularizer("plain", kind(), weight=0.7)]
        plain = [gradient(game, update) for update in range(CYCLE)]
    finally:
        torch.set_default_dtype(torch.float32)
    assert plain[0].norm() > 0
    assert [part.norm() > 0 for part in lazy] == [True, False, False, False]
    torch.testing.assert_close(sum(lazy), sum(plain), rtol=1e-12, atol=1e-15)
