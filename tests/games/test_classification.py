from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from ganlab.data.loader import StepLoader
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.nn import Conditioning
from ganlab.schedules import Schedule
from tests.tiny import LabelledGenerator, Logistic, TinyData, TinyGenerator, tiny_settings


class Classifying(nn.Module):
    """A discriminator with an auxiliary classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.conditioning = Conditioning("classifier", 2)
        self.trunk = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.Tanh())
        self.last = nn.Linear(8, self.conditioning.outputs)

    def forward(self, images: Tensor, labels: Tensor | None = None):
        features = self.trunk(images)
        return self.conditioning.scores(self.last(features), features, labels)


def game(**options) -> TwoPlayerGAN:
    torch.manual_seed(0)
    module = TwoPlayerGAN(LabelledGenerator(), Classifying(), Logistic(), fake_labels="uniform", **options)
    module.prepare(tiny_settings())
    return module.double()


def batch_of(module: TwoPlayerGAN):
    (batch,) = next(iter(StepLoader(TinyData(), seed=0, step_size=module.step_size))).batches(TinyData().facts, 0)
    batch.images = batch.images.double()
    return batch


def entropy(outputs: Tensor, labels: Tensor) -> float:
    """The mean of -log(exp(s_y) / sum exp(s)), by plain arithmetic."""
    rows = [[math.exp(value) for value in row] for row in outputs[:, 1:].tolist()]
    return -sum(math.log(row[label] / sum(row)) for row, label in zip(rows, labels.tolist(), strict=True)) / len(rows)


@pytest.fixture
def counted(monkeypatch):
    """The last layer's outputs of all passes, with their labels."""
    passes = []
    forward = Classifying.forward

    def noting(self, images, labels=None):
        passes.append((self.last(self.trunk(images)).detach(), labels))
        return forward(self, images, labels)

    monkeypatch.setattr(Classifying, "forward", noting)
    return passes


def test_the_discriminator_tells_classes_of_reals_and_fakes_the_generator_of_fakes(counted) -> None:
    module = game(classification=0.5, generator_classification=0.1)
    batch = batch_of(module)
    term = module.discriminator_terms(batch)["classification"]
    assert term.item() == pytest.approx(0.5 * sum(entropy(*each) for each in counted), rel=1e-6)
    assert len(counted) == 2
    assert torch.equal(counted[0][1], batch.labels)
    shares = [(outputs[:, 1:].argmax(1) == labels).double().mean().item() for outputs, labels in counted]
    logged = module.scalars.reduce()
    assert [logged["accuracy/real"], logged["accuracy/fake"]] == pytest.approx(shares)
    counted.clear()
    term = module.generator_terms(batch)["classification"]
    assert term.item() == pytest.approx(0.1 * entropy(*counted[-1]), rel=1e-6)


def test_both_players_have_a_gradient_and_no_more_than_their_weight_says() -> None:
    for player, network in (("discriminator", "discriminator"), ("generator", "generator")):
        gradients = []
        for weight in (1.0, 3.0):
            module = game(classification=weight)
            term = getattr(module, f"{player}_terms")(batch_of(module))["classification"]
            parameters = list(getattr(module, network).parameters())
            gradients.append(torch.autograd.grad(term, parameters, allow_unused=True))
        assert any(gradient is not None and gradient.any() for gradient in gradients[0])
        for one, three in zip(*gradients, strict=True):
            assert (one is None) == (three is None)
            if one is not None:
                torch.testing.assert_close(three, 3 * one)


def test_one_weight_is_for_both_players_and_weights_are_read_at_every_update() -> None:
    module = game(classification=2.0)
    batch = batch_of(module)
    before = module.generator_terms(batch)["classification"]
    module.classification = Schedule("linear", ((0, 2.0), (1000, 0.0)))(500)
    torch.testing.assert_close(module.generator_terms(batch)["classification"], before / 2)


def test_a_game_without_a_classifier_has_no_term_of_it() -> None:
    torch.manual_seed(0)
    module = TwoPlayerGAN(TinyGenerator(), nn.Sequential(nn.Flatten(), nn.Linear(16, 1), nn.Flatten(0)), Logistic())
    module.run_discriminator = lambda images, labels, inputs: module.discriminator(images)  # type: ignore[method-assign]
    module.prepare(tiny_settings())
    (batch,) = next(iter(StepLoader(TinyData(), seed=0, step_size=module.step_size))).batches(TinyData().facts, 0)
    assert set(module.discriminator_terms(batch)) == {"loss"}
