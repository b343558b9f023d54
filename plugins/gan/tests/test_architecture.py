import pytest
import torch
from ganlab_gan.architecture import GAN
from ganlab_gan.discriminator import MLPDiscriminator
from ganlab_gan.generator import MLPGenerator
from ganlab_objectives.non_saturating import NonSaturating
from torch.nn.functional import softplus

from ganlab import Batch, DataFacts, InputFacts
from ganlab.randomness import Randomness
from ganlab.testing.examples import example_settings
from ganlab.testing.training import default_type, differing, plain_steps, resumed, state_of


class NoLoss:
    def discriminator(self, real_logits, fake_logits):
        return fake_logits.mean()

    def generator(self, real_logits, fake_logits):
        return fake_logits.mean()


def make(latents):
    return GAN(MLPGenerator((2,), latent_size=50), MLPDiscriminator((2,)), NoLoss(), latents=latents)


@pytest.mark.parametrize(("latents", "deviation"), [("normal", 1.0), ("uniform", 3**-0.5)])
def test_latents_have_the_chosen_distribution(latents, deviation):
    drawn = make(latents).draw_latents(Randomness(0, count=400))
    assert drawn.shape == (400, 50)
    assert drawn.mean().item() == pytest.approx(0, abs=0.02)
    assert drawn.std().item() == pytest.approx(deviation, rel=0.02)
    assert (drawn.abs().max() <= 1) == (latents == "uniform")


@pytest.mark.parametrize("latents", ["normal", "uniform"])
def test_a_slice_draws_its_part_of_the_whole(latents):
    game, random = make(latents), Randomness(3, count=32)
    assert torch.equal(game.draw_latents(random.slice(8, 4)), game.draw_latents(random)[8:12])


def test_samples_of_vectors():
    game = make("uniform")
    assert game.sample(Randomness(0, count=6), averaged=False).shape == (6, 2)


FACTS = DataFacts((4,), 24, "conditioned", value_range=(-1.0, 1.0), inputs={"tags": InputFacts((3,))})


def conditioned(seed=0, **settings):
    torch.manual_seed(seed)
    options = {"condition": "tags", "inputs": FACTS.inputs, "branches": (4, 4)}
    generator = MLPGenerator(FACTS.shape, latent_size=3, hidden=[6], **options)
    module = GAN(generator, MLPDiscriminator(FACTS.shape, hidden=[6], **options), loss=NonSaturating())
    module.prepare(example_settings(module, FACTS, seed=seed, **settings))
    return module


def test_both_players_see_the_condition_of_each_example():
    with default_type(torch.float64):
        module, random = conditioned(), Randomness("step", count=8)
        tags = random.normal("tags", 3)
        batch = Batch(random.normal("images", 4), None, random, inputs={"tags": tags})
        terms = {player: module.terms_of(player)(batch)["loss"] for player in ("discriminator", "generator")}
        fakes = module.generator(module.draw_latents(random), None, {"tags": tags})
        fake, real = (module.discriminator(shown, None, {"tags": tags}).logits for shown in (fakes, batch.images))
    torch.testing.assert_close(terms["generator"], softplus(-fake).mean())
    torch.testing.assert_close(terms["discriminator"], softplus(-real).mean() + softplus(fake).mean())


def test_a_training_with_a_condition_resumes_exactly():
    module = plain_steps(conditioned(), 3)
    other = resumed(module, conditioned())
    assert not differing(state_of(plain_steps(module, 3)), state_of(plain_steps(other, 3)))


def test_samples_are_made_for_the_inputs_that_are_given():
    module = conditioned().eval()
    random, tags = Randomness(0, count=4), torch.eye(3)[[0, 1, 2, 0]]
    with torch.no_grad():
        images = module.sample(random, inputs={"tags": tags})
        expected = module.network("generator")(module.draw_latents(random), None, {"tags": tags})
        assert not torch.equal(images, module.sample(random, inputs={"tags": 1 - tags}))
    torch.testing.assert_close(images, expected)
