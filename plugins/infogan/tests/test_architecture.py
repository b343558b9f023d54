"""The game: its terms, who owns what, and samples with chosen codes."""

from __future__ import annotations

import pytest
import torch
from ganlab_gan.discriminator import MLPDiscriminator
from ganlab_gan.generator import MLPGenerator
from ganlab_infogan.architecture import InfoGAN
from ganlab_infogan.networks import InfoGANDiscriminator, InfoGANGenerator
from ganlab_objectives.non_saturating import NonSaturating
from torch.nn.functional import mse_loss, nll_loss

from ganlab import Batch, DataFacts, Randomness, UserError
from ganlab.evaluation.sampling import make_samples
from ganlab.spec.sampling import check_sampling, read_assignments
from ganlab.testing.examples import example_settings
from ganlab.testing.training import default_type

SHAPE = (1, 8, 8)
FACTS = DataFacts(SHAPE, 32, "images", class_names=("a", "b"))


def make(facts=FACTS, **options):
    torch.manual_seed(0)
    if facts.is_images:
        networks = InfoGANGenerator(SHAPE, 9, [8], [4, 4]), InfoGANDiscriminator(SHAPE, [4, 4], [8])
    else:
        networks = MLPGenerator(facts.shape, 0, 9, [8]), MLPDiscriminator(facts.shape, 0, [8])
    settings = {"categorical": (3,), "recognition_units": 6, **options}
    module = InfoGAN(*networks, facts.shape, loss=NonSaturating(), **settings)
    module.prepare(example_settings(module, facts))
    return module


def batch(labels=None):
    random = Randomness("step", count=8)
    return Batch(random.uniform("images", *SHAPE) * 2 - 1, torch.zeros(8).long() if labels is None else labels, random)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_both_players_pay_for_codes_of_the_fakes_that_are_not_found(player):
    with default_type(torch.float64):
        module, examples = make(categorical_weight=0.7, continuous_weight=0.2).eval(), batch()
        terms = module.terms_of(player)(examples)
        latents = module.draw_latents(examples.random)
    with torch.no_grad():
        trunk = module.discriminator.trunk(module.generator(latents))
        answer = module.discriminator.head(trunk.features[-1])
        category, numbers = latents[:, 4:7].argmax(1), latents[:, 7:]
        categorical = nll_loss(answer[:, :3].log_softmax(1), category)
        squares = mse_loss(answer[:, 3:], numbers, reduction="none").sum(1).mean()
    constant = torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64))  # 0.5 log(2 pi) of each of two numbers
    torch.testing.assert_close(terms["categorical_codes"], 0.7 * categorical)
    torch.testing.assert_close(terms["continuous_codes"], 0.2 * (squares / 2 + constant))
    assert set(terms) == {"loss", "categorical_codes", "continuous_codes"}


@pytest.mark.parametrize(("player", "other"), [("discriminator", "generator"), ("generator", "discriminator")])
def test_the_discriminators_player_owns_trunk_and_head(player, other):
    """The information term moves every part of its own player, and nothing of the other."""
    module = make()
    with module.only(player):
        terms = module.terms_of(player)(batch())
        (terms["categorical_codes"] + terms["continuous_codes"]).backward()
    owned = dict(module.players()[player].named_parameters())
    moved = {name for name, parameter in owned.items() if parameter.grad is not None and parameter.grad.abs().sum() > 0}
    assert moved == {name for name in owned if not name.startswith("trunk.last")}  # which the codes do not pass
    assert not [name for name, p in module.players()[other].named_parameters() if p.grad is not None]
    owners = {name.partition(".")[0] for name, _ in module.players()["discriminator"].named_parameters()}
    assert owners == {"trunk", "head"}


def test_the_bound_is_logged_with_the_entropy():
    module = make()
    terms = module.generator_terms(batch())
    logged = module.scalars.reduce()
    bound = torch.log(torch.tensor(3.0)) - terms["categorical_codes"].detach()
    assert logged["information/code_0"] == pytest.approx(float(bound), rel=1e-5)
    assert logged["information/bound"] == pytest.approx(
        sum(logged[f"information/code_{i}"] for i in range(3)), rel=1e-5
    )
    assert logged["information/entropy"] == pytest.approx(float(torch.tensor(12.0).log()), rel=1e-5)


def test_labels_change_nothing():
    module = make()
    zeros, ones = (module.discriminator_terms(batch(torch.full((8,), label))) for label in (0, 1))
    assert all(torch.equal(value, ones[name]) for name, value in zeros.items())


def sampled(module, count, *texts, **settings):
    options = check_sampling(type(module), read_assignments(texts))
    return torch.cat([made.images for made in make_samples(module, count, 0, options=options, **settings)])


def test_samples_of_a_walk_have_the_noise_of_its_first():
    module = make()
    walks = sampled(module, 6, "code.1=-2:2:3", batch_size=2)  # blocks that cut the walks
    latents = module.draw_latents(Randomness(0, "samples", count=6))[[0, 0, 0, 3, 3, 3]]
    latents[:, 7] = torch.tensor([-2.0, 0, 2] * 2)
    with torch.no_grad():
        expected = module.averaged_model("generator").eval()(latents)
    torch.testing.assert_close(walks, expected)


def test_a_chosen_code_leaves_noise_and_other_codes_alone():
    module = make()
    latents = module.draw_latents(Randomness(0, "samples", count=3))
    latents[:, 4:7] = torch.eye(3)[2]
    with torch.no_grad():
        expected = module.averaged_model("generator").eval()(latents)
    torch.testing.assert_close(sampled(module, 3, "code.0=2"), expected)
    torch.testing.assert_close(sampled(module, 3), sampled(module, 5)[:3])


def test_a_traversal_starts_a_block_for_each_noise():
    module = make()
    images = sampled(module, 18, "traverse=3")
    torch.testing.assert_close(images, sampled(module, 18, "traverse=3", batch_size=4))
    assert not torch.equal(images[:3], images[9:12])


def test_any_discriminator_with_features_becomes_a_trunk():
    module = make(DataFacts((2,), 32, "points", value_range=(-1.0, 1.0)))
    assert module.recognise(torch.zeros(2, 2)).shape == (2, 5)


class Silent(torch.nn.Linear):
    def forward(self, images, labels=None):
        return super().forward(images.flatten(1)).flatten()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"discriminator": Silent(64, 1)}, "Silent returns logits alone, and the recognition head needs its features"),
        ({"categorical": (), "continuous": 0}, "infogan needs a code at least"),
        ({"categorical": (10,)}, "latent_size is 9, but the codes alone need 12 of its numbers"),
    ],
)
def test_what_does_not_fit_is_refused(changes, sentence):
    given = {"discriminator": InfoGANDiscriminator(SHAPE, [4], []), "categorical": (3,), **changes}
    with pytest.raises(UserError, match=sentence):
        InfoGAN(InfoGANGenerator(SHAPE, 9, [8], [4]), shape=SHAPE, loss=NonSaturating(), **given)
