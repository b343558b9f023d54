"""The game: its terms, who owns what, and what encoder and generator make of images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ganlab_bigan.architecture import BiGAN
from ganlab_bigan.convolutions import ALIEncoder, ALIGenerator
from ganlab_bigan.pairs import ALIDiscriminator, BiGANDiscriminator
from ganlab_bigan.perceptrons import BiGANPerceptronDiscriminator, BiGANPerceptronEncoder, BiGANPerceptronGenerator
from ganlab_layers.none import NoNormalizer
from ganlab_objectives.non_saturating import NonSaturating
from ganlab_objectives.relativistic import Relativistic
from torch.nn.functional import softplus

from ganlab import Batch, DataFacts, Randomness, UserError, WithEncoder
from ganlab.evaluation.panels import panels_of
from ganlab.evaluation.sampling import make_samples
from ganlab.evaluation.source import source_of
from ganlab.testing.examples import ExampleData, example_module, example_settings
from ganlab.testing.training import default_type, plain_steps, player_state

SHAPE = (1, 8, 8)
FACTS = DataFacts(SHAPE, 32, "images", class_names=("a", "b"))
TO_CODE = [[4, 2, 4], [3, 1, 6]]


def make(stochastic=True, loss=None, **options):
    torch.manual_seed(0)
    generator = ALIGenerator(SHAPE, 3, [[4, 1, 4], [2, 2, 4]], normalizer=NoNormalizer(), deviation=0.3)
    encoder = ALIEncoder(SHAPE, 3, TO_CODE, stochastic, normalizer=NoNormalizer(), deviation=0.3)
    judge = ALIDiscriminator(SHAPE, 3, TO_CODE, [5], [6], image_dropout=(0, 0), latent_dropout=(0, 0), joint_dropout=0)
    module = BiGAN(generator, encoder, judge, loss=loss or NonSaturating(), **options)
    for parameter in judge.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.3)
    module.prepare(example_settings(module, FACTS))
    return module


def batch():
    random = Randomness("step", count=8)
    return Batch(random.uniform("images", *SHAPE) * 2 - 1, torch.zeros(8).long(), random)


@pytest.mark.parametrize("stochastic", [False, True])
def test_both_sides_pay_for_both_pairs(stochastic):
    with default_type(torch.float64):
        module, examples = make(stochastic), batch()
        terms = {player: module.terms_of(player)(examples) for player in ("discriminator", "generator")}
    with torch.no_grad(), default_type(torch.float64):
        answer, latents = module.encoder(examples.images), module.draw_latents(examples.random)
        code = answer
        if stochastic:
            code = answer[:, :3] + answer[:, 3:].exp() * examples.random.scoped("code").normal("code", 3)
        real = module.discriminator(examples.images, code).logits
        fake = module.discriminator(module.generator(latents), latents).logits
    told = {"loss": softplus(-real).mean() + softplus(fake).mean()}
    made = {"loss": softplus(-fake).mean(), "encoder": softplus(real).mean()}
    torch.testing.assert_close(dict(terms["discriminator"]), told)
    torch.testing.assert_close(dict(terms["generator"]), made)


def moved(module, player):
    named = dict(module.players()[player].named_parameters())
    return {name for name, value in named.items() if value.grad is not None and value.grad.abs().sum() > 0}, set(named)


@pytest.mark.parametrize(("player", "other"), [("discriminator", "generator"), ("generator", "discriminator")])
def test_a_player_moves_all_of_its_own_and_nothing_of_the_other(player, other):
    module = make()
    with module.only(player):
        sum(module.terms_of(player)(batch()).values()).backward()
    own, named = moved(module, player)
    assert own == named
    assert not moved(module, other)[0]


def test_the_encoder_learns_from_reals_and_the_generator_from_fakes_alone():
    module = make()
    terms = module.generator_terms(batch())
    terms["encoder"].backward(retain_graph=True)
    assert not [1 for p in module.generator.parameters() if p.grad is not None]
    assert all(p.grad is not None for p in module.encoder.parameters())
    module.zero_grad()
    terms["loss"].backward()
    assert not [1 for p in module.encoder.parameters() if p.grad is not None]
    assert all(p.grad is not None for p in module.generator.parameters())


def test_a_loss_of_both_logits_teaches_the_encoder_without_a_term_of_its_own():
    module = make(loss=Relativistic())
    terms = module.generator_terms(batch())
    assert set(terms) == {"loss"}
    terms["loss"].backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.encoder.parameters())


def test_training_moves_encoder_and_both_averages():
    module = example_module("bigan", FACTS_16)
    before = player_state(module, "generator")
    plain_steps(module, 2)
    after = player_state(module, "generator")
    assert all(not torch.equal(before[name], after[name]) for name in before if name.startswith("encoder."))
    average, now = module.network("encoder").state_dict(), module.encoder.state_dict()
    assert any(not torch.equal(average[name], now[name]) for name in now)


FACTS_16 = DataFacts((1, 16, 16), 24, "example")


def test_uniform_latents_fill_their_cube():
    latents = make(latents="uniform").draw_latents(Randomness(0, count=400))
    assert latents.abs().max() <= 1
    assert 0.5 < latents.std() < 0.65


def test_reconstructions_stand_beside_their_reals():
    module = make().eval()
    data = ExampleData(FACTS)
    options = {"reconstruct": True}
    source = source_of(data, "cpu", module.made_from(options))
    samples = next(iter(make_samples(module, 4, 0, source=source, labels=None, options=options)))
    reals = samples.inputs["images"]
    with torch.no_grad():
        mean = module.network("encoder")(reals)[:, :3]
        expected = module.network("generator")(mean)
    torch.testing.assert_close(samples.images, expected)
    torch.testing.assert_close(module.encode(reals), mean)
    assert panels_of(module, samples).shape == (4, 1, 8, 16)
    assert module.made_from({}) == ()
    assert isinstance(module, WithEncoder)


def test_codes_are_drawn_where_random_numbers_are_given():
    module, images = make().eval(), batch().images
    drawn = [module.encode(images, random=Randomness(seed, count=8)) for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_real_logits_are_of_reals_with_their_codes():
    module, examples = make(stochastic=False), batch()
    expected = module.discriminator(examples.images, module.encoder(examples.images)).logits
    torch.testing.assert_close(module.real_logits(examples), expected)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"encoder": BiGANPerceptronGenerator(SHAPE, 3, 4)}, "BiGANPerceptronGenerator is no encoder"),
        ({"encoder": BiGANPerceptronEncoder(SHAPE, 4, 4)}, "takes 3 latents, the encoder makes 4 and the disc"),
        ({"discriminator": torch.nn.Linear(1, 1)}, "Linear judges images alone"),
        ({"discriminator": BiGANDiscriminator(SHAPE, 5, [4])}, "discriminator judges 5: give all three the same"),
    ],
)
def test_networks_that_do_not_fit_are_refused(changes, sentence):
    given = {
        "generator": BiGANPerceptronGenerator(SHAPE, 3, 4),
        "encoder": BiGANPerceptronEncoder(SHAPE, 3, 4),
        "discriminator": BiGANPerceptronDiscriminator(SHAPE, 3, 4),
        **changes,
    }
    with pytest.raises(UserError, match=sentence):
        BiGAN(**given, loss=NonSaturating())


def test_vectors_can_be_encoded_as_well():
    networks = (kind((2,), 3, 4) for kind in (BiGANPerceptronGenerator, BiGANPerceptronEncoder))
    module = BiGAN(*networks, BiGANPerceptronDiscriminator((2,), 3, 4), loss=NonSaturating())
    module.prepare(example_settings(module, replace(FACTS, shape=(2,), class_names=())))
    random = Randomness("step", count=8)
    assert set(module.generator_terms(Batch(random.normal("points", 2), None, random))) == {"loss", "encoder"}
