"""The game: its terms, where poses come from, and samples in poses that are asked for."""

from __future__ import annotations

import pytest
import torch
from ganlab_gan.generator import MLPGenerator
from ganlab_hologan.architecture import HoloGAN
from ganlab_hologan.discriminator import HoloGANDiscriminator
from ganlab_hologan.generator import HoloGANGenerator
from ganlab_objectives.non_saturating import NonSaturating
from torch.nn.functional import softplus

from ganlab import Batch, DataFacts, Randomness, UserError
from ganlab.evaluation.sampling import make_samples
from ganlab.randomness import of_samples
from ganlab.spec.sampling import FILMS, check_sampling, read_assignments
from ganlab.testing.examples import example_settings
from ganlab.testing.training import default_type

SHAPE = (1, 8, 8)
FACTS = DataFacts(SHAPE, 32, "images", class_names=("a", "b"))


def make(latent_size=4, **options):
    torch.manual_seed(0)
    style = options.pop("judge", "joint")
    generator = HoloGANGenerator(SHAPE, 4, [5, 4], [], 6, [4], deviation=0.3)
    discriminator = HoloGANDiscriminator(SHAPE, [3, 4], latent_size, 5, style, deviation=0.3)
    module = HoloGAN(generator, discriminator, loss=NonSaturating(), **options)
    module.prepare(example_settings(module, FACTS))
    return module


def batch():
    random = Randomness("step", count=6)
    return Batch(random.uniform("images", *SHAPE) * 2 - 1, torch.zeros(6).long(), random)


@pytest.mark.parametrize("judge", ["joint", "apart"])
def test_both_players_pay_for_identity_and_styles(judge):
    with default_type(torch.float64):
        module, examples = make(identity=0.3, style=0.7, judge=judge).eval(), batch()
        terms = {player: module.terms_of(player)(examples) for player in ("discriminator", "generator")}
        fakes = module.fakes(examples)
    with torch.no_grad():
        of_fakes, of_reals = module.discriminator(fakes.images), module.discriminator(examples.images)
        identity = (of_fakes.heads["latents"] - fakes.latents).square().mean()
        real, fake = (scores.heads["style_1"] for scores in (of_reals, of_fakes))
    for player in terms:
        torch.testing.assert_close(terms[player]["identity"], 0.3 * identity)
    torch.testing.assert_close(terms["discriminator"]["style"], 0.7 * (softplus(-real).mean() + softplus(fake).mean()))
    torch.testing.assert_close(terms["generator"]["style"], 0.7 * softplus(-fake).mean())


def test_the_plain_game_is_published():
    module = make(latent_size=0, judge="none")
    assert set(module.generator_terms(batch())) == {"loss"}
    assert (module.generator_steps, module.discriminator_steps) == (2, 1)


def test_each_fake_has_a_pose_of_its_own_and_both_players_see_it():
    """Poses belong to the row of the batch: parts of it and further passes have the same."""
    module, examples = make(azimuth=(-90.0, 90.0)).eval(), batch()
    seen = []
    module.generator.register_forward_hook(lambda network, inputs, images: seen.append(inputs[2]))
    with torch.no_grad():
        module.fakes(examples)
        for part in examples.split(4):
            module.fakes(part)
        module.generate(module.draw_latents(examples.random), None, examples.random)
    whole, first, last, again = seen
    torch.testing.assert_close(torch.cat([first, last]), whole)
    torch.testing.assert_close(again, whole)
    assert len(whole[:, 0].unique()) == 6


@pytest.mark.parametrize("latents", ["uniform", "normal"])
def test_poses_and_latents_fill_their_ranges(latents):
    module = make(latents=latents, azimuth=(-30.0, 60.0), elevation=(5.0, 5.0), scale=(0.5, 1.5))
    drawn = module.draw(Randomness(0, count=4000))
    low, high = drawn.poses.min(0).values, drawn.poses.max(0).values
    torch.testing.assert_close(low, torch.tensor([-30.0, 5, 0.5]), atol=0.1, rtol=0)
    torch.testing.assert_close(high, torch.tensor([60.0, 5, 1.5]), atol=0.1, rtol=0)
    assert (drawn.values.abs().max() <= 1) == (latents == "uniform")


def sampled(module, count, *texts, **settings):
    options = check_sampling(type(module), read_assignments(texts))
    return torch.cat([made.images for made in make_samples(module, count, 0, options=options, **settings)])


def test_samples_in_poses_that_are_asked_for():
    module = make()
    drawn = module.draw(of_samples(0, 3, "cpu"))
    poses = torch.stack([torch.full((3,), 15.0), drawn.poses[:, 1], torch.full((3,), 0.8)], 1)
    with torch.no_grad():
        expected = module.averaged_model("generator").eval()(drawn.values, None, poses)
        plain = module.averaged_model("generator").eval()(drawn.values, None, drawn.poses)
    torch.testing.assert_close(sampled(module, 3, "azimuth=15", "scale=0.8"), expected)
    torch.testing.assert_close(sampled(module, 3), plain)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("azimuth=left", "the sampling option 'azimuth' of HoloGAN"),
        ("elevation=100", "the sampling option 'elevation' of HoloGAN"),
        ("scale=0", "the sampling option 'scale' of HoloGAN"),
        ("azimut=10", "did you mean 'azimuth'"),
    ],
)
def test_poses_that_there_are_not_are_refused(text, sentence):
    with pytest.raises(UserError, match=sentence):
        sampled(make(), 2, text)


def film(module, frames, *texts):
    options = check_sampling(type(module), read_assignments(texts), FILMS)
    with torch.no_grad():
        return module.animate(of_samples(0, 2, "cpu"), frames, **options)


def test_a_film_turns_there_and_back():
    module = make(azimuth=(-40.0, 20.0)).eval()
    frames = film(module, 4)
    assert frames.shape == (2, 4, *SHAPE)
    for place, azimuth in enumerate([-40.0, -10.0, 20.0, -10.0]):
        torch.testing.assert_close(frames[:, place], sampled(module, 2, f"azimuth={azimuth}", "elevation=0", "scale=1"))
    risen = film(module, 2, "turn=elevation", "azimuth=5")
    torch.testing.assert_close(risen[:, 1], sampled(module, 2, "azimuth=5", "elevation=20", "scale=1"))


def test_a_film_goes_once_around_a_whole_circle():
    module = make(azimuth=(-180.0, 180.0)).eval()
    assert module.poses.way("azimuth", 4) == [-180.0, -90.0, 0.0, 90.0]


def test_a_film_through_what_stands_still_is_refused():
    with pytest.raises(UserError, match="the film turns through 'scale', which thus has no one value"):
        film(make(), 2, "turn=scale", "scale=1")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"azimuth": (50.0, -50.0)}, r"'azimuth' of hologan is the lowest and the highest one: \[-50, 50\], not \[50"),
        ({"azimuth": (-200.0, 200.0)}, "from -200 to 200 degrees, more than a circle"),
    ],
)
def test_ranges_that_there_are_not_are_refused(options, sentence):
    with pytest.raises(UserError, match=sentence):
        make(**options)


def test_a_generator_without_a_volume_is_refused():
    with pytest.raises(UserError, match="MLPGenerator has no volume that could be turned"):
        HoloGAN(MLPGenerator(SHAPE, 0, 4, [8]), HoloGANDiscriminator(SHAPE, [3]), loss=NonSaturating())


@pytest.mark.parametrize(
    ("latent_size", "sentence"),
    [(0, "set 'architecture.discriminator.latent_size' to 4"), (3, "latent_size is 3 and the generator's 4")],
)
def test_identity_needs_a_head_of_the_latents_size(latent_size, sentence):
    with pytest.raises(UserError, match=sentence):
        make(latent_size, identity=1.0).generator_terms(batch())
