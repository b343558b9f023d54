"""The game of CycleGAN."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
import torch
from ganlab_translation.cyclegan import CycleGAN

from ganlab.contracts import Batch, Examples
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.testing.examples import build_example, example_module
from ganlab.testing.training import plain_steps
from ganlab.training.checkpoint import module_state, restore_module

FACTS = CycleGAN.example_facts


@pytest.fixture
def game() -> CycleGAN:
    return example_module("cyclegan", FACTS).double()


@pytest.fixture
def batch() -> Batch:
    images = torch.rand(3, *FACTS.shape, dtype=torch.float64) * 2 - 1
    greys = torch.rand(3, 1, *FACTS.shape[1:], dtype=torch.float64) * 2 - 1
    return Batch(images, None, Randomness(0, count=3), further={"grey": Examples(greys)})


def test_terms_are_the_papers(game: CycleGAN, batch: Batch) -> None:
    """Squares of the logits' distances, and mean absolute differences, written anew."""
    game.adversarial = 2.0
    real = {"first": batch.images, "grey": batch.further["grey"].images}
    to = game.generator
    fake = {"first": to["first"](real["grey"]), "grey": to["grey"](real["first"])}
    back = {"first": to["first"](fake["grey"]), "grey": to["grey"](fake["first"])}
    terms = game.generator_terms(batch)
    said = game.discriminator_terms(batch)
    for name, judge in game.discriminator.items():
        of_fake, of_real = judge(fake[name]).logits, judge(real[name]).logits
        assert torch.allclose(terms[name], ((of_fake - 1) ** 2).mean())
        assert torch.allclose(terms[f"cycle_{name}"], 10 * (back[name] - real[name]).abs().mean())
        assert torch.allclose(said[name], ((of_real - 1) ** 2).mean() / 2 + (of_fake**2).mean() / 2)
    assert set(terms) == {"first", "grey", "cycle_first", "cycle_grey"}


def test_identity_translates_images_to_their_own_domain() -> None:
    facts = replace(FACTS, further={"others": replace(FACTS, further={}, fingerprint="others")})
    game = example_module("cyclegan", facts)
    game.identity = 5.0
    images, others = (torch.rand(2, *FACTS.shape) for _ in range(2))
    batch = Batch(images, None, Randomness(0, count=2), further={"others": Examples(others)})
    term = game.generator_terms(batch)["identity_others"]
    assert torch.allclose(term, 5 * (game.generator["others"](others) - others).abs().mean())


def test_discriminators_see_the_fakes_of_before_the_generators_step(game: CycleGAN, batch: Batch) -> None:
    with torch.no_grad():
        fakes = game.translated(game.reals(batch))
        game.generator_terms(batch)
        for parameter in game.generator.parameters():
            parameter.zero_()
    game.discriminator_terms(batch)
    for name, pool in game.pools.items():
        pool.commit()
        assert torch.allclose(pool.images[: len(batch)].double(), fakes[name])


def test_earlier_fakes_come_back_after_a_checkpoint() -> None:
    """The buffer fills, is saved, and an interrupted training goes on with it as a whole one does."""
    whole = example_module("cyclegan", FACTS)
    plain_steps(whole, 4)
    assert int(whole.pools["grey"].kept) == 6
    half = example_module("cyclegan", FACTS)
    plain_steps(half, 2)
    file = io.BytesIO()
    torch.save(module_state(half), file)
    file.seek(0)
    resumed = example_module("cyclegan", FACTS, seed=1)
    restore_module(resumed, torch.load(file, weights_only=True))
    assert torch.equal(resumed.pools["first"].images, half.pools["first"].images)
    assert resumed.pools["first"].images.abs().sum() > 0


def test_samples_go_in_the_direction_that_is_asked_for(game: CycleGAN, batch: Batch) -> None:
    random = Randomness(0, count=3)
    greys = batch.further["grey"].images
    assert game.made_from({}) == ("grey",)
    assert game.made_from({"to": "grey"}) == ("images",)
    assert game.sample(random, inputs={"grey": greys}).shape == (3, *FACTS.shape)
    assert game.sample(random, inputs={"images": batch.images}, to="grey").shape == greys.shape
    with pytest.raises(UserError, match="no domain 'gray'.*first, grey"):
        game.made_from({"to": "gray"})


def test_pictures_show_both_directions(game: CycleGAN, batch: Batch) -> None:
    greys = batch.further["grey"].images
    shown = game.panels(batch.images, {"grey": greys}, batch.images, batch.random)
    assert [panel.shape[1] for panel in shown] == [1, 3, 3, 1]


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (replace(FACTS, further={}), "these have: none"),
        (replace(FACTS, further={**FACTS.further, "blue": FACTS.further["grey"]}), "these have: grey, blue"),
        (replace(FACTS, further={"grey": replace(FACTS.further["grey"], shape=(1, 8, 12))}), "images of one size"),
    ],
)
def test_data_that_do_not_fit_are_refused(facts, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        build_example("architectures", "cyclegan", facts)
