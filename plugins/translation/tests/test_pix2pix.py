"""The game of pix2pix."""

from __future__ import annotations

import pytest
import torch
from ganlab_translation.pix2pix import Pix2Pix
from torch.nn.functional import binary_cross_entropy_with_logits

from ganlab.contracts import Batch
from ganlab.errors import UserError
from ganlab.randomness import Randomness, layer_draws
from ganlab.testing.examples import build_example, example_module

FACTS = Pix2Pix.example_facts


@pytest.fixture
def game() -> Pix2Pix:
    return example_module("pix2pix", FACTS).double()


@pytest.fixture
def batch() -> Batch:
    random = Randomness(0, count=3)
    images = torch.rand(3, *FACTS.shape, dtype=torch.float64) * 2 - 1
    source = torch.rand(3, 1, *FACTS.shape[1:], dtype=torch.float64) * 2 - 1
    return Batch(images, None, random, {"source": source})


def test_terms_are_the_papers(game: Pix2Pix, batch: Batch) -> None:
    """Against cross-entropies of probabilities and a sum of differences, written anew."""
    with layer_draws(batch.random.scoped("layers")):
        fakes = game.generator(batch.inputs["source"])
    real, fake = (game.discriminator(each, None, batch.inputs["source"]).logits for each in (batch.images, fakes))
    entropy = binary_cross_entropy_with_logits
    terms = game.generator_terms(batch)
    assert torch.allclose(terms["loss"], entropy(fake, torch.ones_like(fake)))
    assert torch.allclose(terms["distance"], 100 * (fakes - batch.images).abs().sum() / fakes.numel())
    both = entropy(real, torch.ones_like(real)) + entropy(fake, torch.zeros_like(fake))
    assert torch.allclose(game.discriminator_terms(batch)["loss"], both / 2)


def test_weights_make_the_rows_of_the_paper(game: Pix2Pix, batch: Batch) -> None:
    game.adversarial, game.distance = 0.0, 1.0
    terms = game.generator_terms(batch)
    assert terms["loss"] == 0
    game.distance = 0.0
    assert game.generator_terms(batch)["distance"] == 0


def test_an_unconditional_discriminator_does_not_see_the_input(game: Pix2Pix, batch: Batch) -> None:
    other = Batch(batch.images, None, batch.random, {"source": -batch.inputs["source"]})
    assert not torch.equal(game.real_logits(batch), game.real_logits(other))
    game.discriminator.conditional = False
    channels = FACTS.shape[0]
    first = game.discriminator.layers[0][0]
    first.weight = torch.nn.Parameter(first.weight[:, :channels])
    assert torch.equal(game.real_logits(batch), game.real_logits(other))


def test_data_without_inputs_are_refused() -> None:
    from dataclasses import replace

    with pytest.raises(UserError, match="these have none"):
        build_example("architectures", "pix2pix", replace(FACTS, inputs={}))
