"""Approximated R1 and R2 against the exact penalties, whose gradients are known, and beside augmentation."""

from __future__ import annotations

import pytest
import torch
from ganlab_objectives.r1 import R1
from ganlab_objectives.r1_approximate import R1Approximate
from ganlab_objectives.r2_approximate import R2Approximate
from torch import nn

from ganlab.contracts import Batch, Views
from ganlab.randomness import Randomness, layer_normal

COUNT, SHAPE = 100_000, (2, 3)


def views(discriminate, reals, fakes):
    return Views(
        real_images=reals,
        fake_images=fakes,
        labels=None,
        fake_labels=None,
        discriminate=lambda images, labels: discriminate(images),
        random=Randomness(0, "penalty", count=len(reals)),
        lazily={"real_gradient": lambda: gradient_of(discriminate, reals)},
    )


def gradient_of(discriminate, images):
    images = images.detach().requires_grad_()
    return torch.autograd.grad(discriminate(images).sum(), images, create_graph=True)[0]


def made():
    torch.manual_seed(0)
    slope = torch.randn(6, dtype=torch.float64, requires_grad=True)
    images = torch.randn(2, COUNT, *SHAPE, dtype=torch.float64)
    return slope, lambda x: (x.flatten(1) @ slope + 0.3).tanh(), images


@pytest.mark.parametrize("kind", [R1Approximate, R2Approximate])
def test_the_expectation_is_that_of_the_exact_penalty(kind):
    slope, discriminate, (reals, fakes) = made()
    regularizer = kind(deviation=0.001)
    value = regularizer.penalty(views(discriminate, reals, fakes)) / (2 * 0.001**2)
    at = reals if kind is R1Approximate else fakes
    exact = R1().penalty(views(discriminate, at, fakes))
    # A normal step's square has a relative deviation of sqrt(2), here of 100,000 images.
    torch.testing.assert_close(value, exact, rtol=0.03, atol=0.0)
    (ours,), (theirs,) = (torch.autograd.grad(each, slope) for each in (value, exact))
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.99


def test_a_linear_discriminators_change_is_known():
    slope = torch.randn(6, dtype=torch.float64)
    reals = torch.randn(5, *SHAPE, dtype=torch.float64)
    offered = views(lambda x: x.flatten(1) @ slope, reals, reals)
    noise = offered.random.normal("real_images/step", *SHAPE).double().flatten(1)
    expected = (0.01 * noise @ slope).square()
    torch.testing.assert_close(R1Approximate().penalty(offered), expected.mean())
    torch.testing.assert_close(R1Approximate(share=0.4).penalty(offered), expected[:2].mean())
    torch.testing.assert_close(R1Approximate(share=0.01).penalty(offered), expected[0])


def test_both_passes_share_augmentation_and_noise(conditional_game, labelled_batch):
    class Shift(nn.Module):
        """Adds another number to each image, and fails for more images than draws."""

        def forward(self, images, random):
            shift = random.normal("shift")
            assert len(shift) == len(images)
            return images + shift[:, None, None, None]

    game = conditional_game(augmentation=Shift())
    inner = game.discriminator.forward

    def noisy(images, labels):
        return inner(images, labels) + layer_normal(images)

    game.discriminator.forward = noisy
    for share in (1.0, 0.5):
        random = labelled_batch.random.scoped("penalty")
        batch = Batch(labelled_batch.images, labelled_batch.labels, labelled_batch.random)
        penalty = R1Approximate(deviation=1e-4, share=share).penalty(
            game.views("discriminator", batch, game.fakes(batch))
        )
        count = round(share * len(batch))
        shifted = batch.images + random.normal("shift")[:, None, None, None]
        slopes = gradient_of(lambda x, labels=batch.labels: inner(x, labels), shifted)
        step = 1e-4 * random.normal("real_images/step", *batch.images.shape[1:])
        expected = (slopes * step).flatten(1).sum(1)[:count].square().mean()
        torch.testing.assert_close(penalty, expected, rtol=0.02, atol=0.0)
