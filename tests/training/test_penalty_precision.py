"""Penalties of a bfloat16 training: in float32 throughout, their gradients included, unless asked otherwise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.games.two_player import TwoPlayerGAN
from tests.tiny import tiny_gan, tiny_settings
from tests.training.fitting import fit


class SlopeAtReals:
    """R1 that remembers what it was given."""

    side = "discriminator"
    requires = frozenset({"real_images", "discriminate"})

    def penalty(self, views: Views) -> Tensor:
        self.images = views.real_images.detach().clone().requires_grad_()
        logits = views.discriminate(self.images)
        self.dtype = logits.dtype
        (slope,) = torch.autograd.grad(logits.sum(), self.images, create_graph=True)
        return slope.square().flatten(1).sum(1).mean() / 2


def one_penalised_step(penalty_precision: str) -> tuple[TwoPlayerGAN, SlopeAtReals]:
    """One round under bfloat16 in which the penalty is the discriminator's only term."""
    regularizer = SlopeAtReals()
    settings = tiny_settings(penalty_precision=penalty_precision)
    module = tiny_gan(settings, [WeightedRegularizer("slope", regularizer, 1.0, 1)])
    module.discriminator_terms = lambda batch: module.penalties(
        "discriminator", Views(real_images=batch.images, discriminate=module.discriminator)
    )
    return fit(module, 8, precision="bf16-mixed"), regularizer


def relative_error(module: TwoPlayerGAN, regularizer: SlopeAtReals) -> float:
    """Of the gradients that the step left behind, against float64."""
    exact, reference = tiny_gan().discriminator.double(), SlopeAtReals()
    reference.penalty(Views(real_images=regularizer.images.double(), discriminate=exact)).backward()
    found, truth = (_weight_gradients(network) for network in (module.discriminator, exact))
    return float((found - truth).norm() / truth.norm())


def _weight_gradients(network: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten().double() for p in network.parameters() if p.dim() == 2 and p.grad is not None])


@pytest.mark.parametrize(
    ("precision", "dtype", "least", "most"),
    [("float32", torch.float32, 0.0, 1e-5), ("same", torch.bfloat16, 1e-4, 0.05)],
)
def test_penalties_run_in_the_precision_that_was_asked_for(
    precision: str, dtype: torch.dtype, least: float, most: float
) -> None:
    module, regularizer = one_penalised_step(precision)
    assert regularizer.dtype == dtype
    assert least <= relative_error(module, regularizer) < most
