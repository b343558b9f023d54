import pytest
import torch
from ganlab_gan.architecture import GAN
from ganlab_gan.discriminator import MLPDiscriminator
from ganlab_gan.generator import MLPGenerator

from ganlab.randomness import Randomness


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
