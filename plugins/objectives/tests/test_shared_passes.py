"""R1 and R2 use the passes of the loss, where these are precise enough."""

from functools import partial

import pytest
import torch
from ganlab_objectives.r1 import R1
from ganlab_objectives.r2 import R2

CLASSES, LATENT = 3, 4  # of the game in conftest.py


def note_precision(_module, _given, _answer, passes):
    passes.append(torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else torch.float32)


@pytest.fixture
def watched(conditional_game):
    """Makes a game, with a list that gets the type in which each of the discriminator's passes calculates."""

    def make(*regularizers, **settings):
        game, passes = conditional_game(*regularizers, settings=settings, fake_labels="uniform"), []
        game.discriminator.register_forward_hook(partial(note_precision, passes=passes))
        game.configure_optimizers()
        return game, passes

    return make


@pytest.fixture
def update(labelled_batch):
    """Makes one of the discriminator's updates, as the platform does."""

    def make(game, precision=torch.float32):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            game.update("discriminator", game.discriminator_terms, labelled_batch)

    return make


def fresh_penalties(game, batch):
    """Both penalties by autograd, from passes of their own."""
    fake_labels = batch.random.integers("labels", CLASSES)
    fakes = game.generator(batch.random.normal("latents", LATENT), fake_labels)
    total = 0
    for images, labels in ((batch.images, batch.labels), (fakes, fake_labels)):
        points = images.detach().requires_grad_()
        (slope,) = torch.autograd.grad(game.discriminator(points, labels).sum(), points, create_graph=True)
        total = total + slope.square().flatten(1).sum(1).mean() / 2
    return total


def test_loss_and_both_penalties_take_one_pass_over_reals_and_one_over_fakes(watched, update):
    game, passes = watched(R1(), R2())
    update(game)
    assert passes == [torch.float32] * 2


@pytest.mark.parametrize("regularizer", [R1(), R2()])
def test_one_penalty_takes_no_pass_either(regularizer, watched, update):
    game, passes = watched(regularizer)
    update(game)
    assert len(passes) == 2


def test_in_bfloat16_penalties_in_float32_have_passes_of_their_own(watched, update):
    game, passes = watched(R1(), R2())
    update(game, torch.bfloat16)
    assert passes == [torch.bfloat16] * 2 + [torch.float32] * 2


def test_in_bfloat16_penalties_of_the_same_precision_share(watched, update):
    game, passes = watched(R1(), R2(), penalty_precision="same")
    update(game, torch.bfloat16)
    assert passes == [torch.bfloat16] * 2


def test_lazy_penalties_ask_for_a_gradient_when_they_are_due_only(watched, update):
    game, passes = watched(R1(), R2())
    asked = []
    game.discriminator.register_forward_hook(lambda _, given, __: asked.append(given[0].requires_grad))
    for term in game.regularizers:
        term.every = 2
    for _ in range(3):
        update(game)
    assert asked == [True, True, False, False, True, True]
    assert len(passes) == 6


def test_gradients_of_shared_passes_are_those_of_fresh_ones(double, watched, labelled_batch):
    game, _ = watched(R1(), R2())
    terms = game.discriminator_terms(labelled_batch)
    found, expected = terms["R1"] + terms["R2"], fresh_penalties(game, labelled_batch)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)
    weight = game.discriminator.weight
    by_weight = [torch.autograd.grad(value, weight, retain_graph=True)[0] for value in (found, expected)]
    torch.testing.assert_close(*by_weight, rtol=1e-12, atol=1e-14)


def test_the_gradient_of_the_loss_is_the_same_beside_penalties(double, watched, labelled_batch):
    gradients = []
    for regularizers in ((), (R1(), R2())):
        game, _ = watched(*regularizers)
        loss = game.discriminator_terms(labelled_batch)["loss"]
        gradients.append(torch.autograd.grad(loss, game.discriminator.weight)[0])
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)
