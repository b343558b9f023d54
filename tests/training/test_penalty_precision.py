"""Penalties of a bfloat16 training: in float32 throughout, their gradients included, unless asked otherwise."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganlab.contracts import Views, WeightedRegularizer
from ganlab.games.two_player import TwoPlayerGAN
from tests.tiny import Logistic, tiny_gan, tiny_settings
from tests.training.fitting import fit

WIDE, NARROW = torch.float32, torch.bfloat16


class SlopeAtReals:
    """R1 by a pass of its own that remembers what it was given."""

    side = "discriminator"
    requires = frozenset({"real_images", "discriminate"})

    def penalty(self, views: Views) -> Tensor:
        self.images = views.real_images.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(views.discriminate(self.images).sum(), self.images, create_graph=True)
        return slope.square().flatten(1).sum(1).mean() / 2


class SlopeFromTheGame:
    """R1 by the gradient that the game offers."""

    side = "discriminator"
    requires = frozenset({"real_images", "real_gradient"})

    def penalty(self, views: Views) -> Tensor:
        self.images = views.real_images.detach().clone()
        return views.real_gradient.square().flatten(1).sum(1).mean() / 2


class Nothing(Logistic):
    """A loss that leaves the discriminator to the penalties."""

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return super().discriminator(real_logits, fake_logits) * 0


def one_penalised_step(
    regularizer: SlopeAtReals | SlopeFromTheGame, penalty_precision: str
) -> tuple[TwoPlayerGAN, list[torch.dtype]]:
    """One round under bfloat16 in which only the penalty counts, and the types of the discriminator's passes."""
    settings = tiny_settings(penalty_precision=penalty_precision)
    module = tiny_gan(settings, [WeightedRegularizer("slope", regularizer, 1.0, 1)])
    module.loss = Nothing()
    dtypes: list[torch.dtype] = []
    # Inside of the network: the platform makes its answer float32 in any case.
    module.discriminator.net[1].register_forward_hook(lambda _, __, features: dtypes.append(features.dtype))
    return fit(module, 8, precision="bf16-mixed"), dtypes


def relative_error(module: TwoPlayerGAN, images: Tensor) -> float:
    """Of the gradients that the step left behind, against float64."""
    exact = tiny_gan().discriminator.double()
    SlopeAtReals().penalty(Views(real_images=images.double(), discriminate=exact)).backward()
    found, truth = (_weight_gradients(network) for network in (module.discriminator, exact))
    return float((found - truth).norm() / truth.norm())


def _weight_gradients(network: nn.Module) -> Tensor:
    return torch.cat([p.grad.flatten().double() for p in network.parameters() if p.dim() == 2 and p.grad is not None])


@pytest.mark.parametrize(("precision", "least", "most"), [("float32", 0.0, 1e-5), ("same", 1e-4, 0.05)])
@pytest.mark.parametrize("kind", [SlopeAtReals, SlopeFromTheGame])
def test_penalties_run_in_the_precision_that_was_asked_for(
    kind: type[SlopeAtReals | SlopeFromTheGame], precision: str, least: float, most: float
) -> None:
    regularizer = kind()
    module, dtypes = one_penalised_step(regularizer, precision)
    shares = kind is SlopeFromTheGame and precision == "same"
    penalty = [] if shares else [WIDE if precision == "float32" else NARROW]
    assert dtypes == [NARROW, NARROW, *penalty, NARROW]  # reals, fakes, the penalty's, and the generator's
    assert least <= relative_error(module, regularizer.images) < most
