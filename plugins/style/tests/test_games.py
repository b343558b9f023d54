"""The games: what fakes tell, what training keeps of styles, and how samples are truncated."""

from __future__ import annotations

import pytest
import torch
from ganlab_objectives.path_length import PathLength
from ganlab_style.architecture import StyleGAN
from ganlab_style.growing import GrowingStyleGAN

from ganlab.contracts import Batch, DataFacts
from ganlab.errors import UserError
from ganlab.games.growth import Stage
from ganlab.randomness import Randomness
from ganlab.spec.sampling import check_sampling, sampling_options
from ganlab.testing.examples import EXAMPLE_FACTS, example_module
from ganlab.testing.training import differing, state_of, train_steps

FACTS = EXAMPLE_FACTS["images with classes"]


@pytest.fixture
def game():
    return example_module("style", FACTS)


@pytest.fixture
def growing(monkeypatch):
    def make(**changes):
        monkeypatch.setattr(GrowingStyleGAN, "example", GrowingStyleGAN.example | changes)
        return example_module("style_growing", EXAMPLE_FACTS["grey images"])

    return make


@pytest.fixture
def batch():
    random = Randomness(0, count=6)
    return Batch(random.uniform("images", *FACTS.shape) * 2 - 1, torch.arange(6) % 3, random)


def with_noise(module):
    for name, parameter in module.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.constant_(parameter, 0.5)
    return module


def test_fakes_tell_their_styles_and_how_images_are_made_of_them(game, batch):
    with_noise(game)
    fakes = game.fakes(batch)
    assert fakes.styles.shape == (6, game.generator.layers, 8)
    torch.testing.assert_close(fakes.synthesise(fakes.styles, fakes.labels), fakes.images)
    views = game.views("generator", batch, fakes)
    assert views.styles is fakes.styles
    assert {"styles", "synthesise"} <= StyleGAN.provides["generator"]
    assert {"styles", "synthesise"} <= GrowingStyleGAN.provides["discriminator"]


def test_the_path_length_is_measured_from_styles_and_trains_the_mapping(game, batch):
    fakes = game.fakes(batch)
    penalty = PathLength(shrink=1)
    value = penalty.penalty(game.views("generator", batch, fakes))
    noise = batch.random.scoped("penalty").normal("path_length", *FACTS.shape) / 16
    (gradient,) = torch.autograd.grad((fakes.images * noise).sum(), fakes.styles, retain_graph=True)
    lengths = gradient.square().sum(2).mean(1).sqrt()
    torch.testing.assert_close(value, (lengths - 0.01 * lengths.mean()).square().mean())
    value.backward()
    assert all(parameter.grad is not None for parameter in game.generator.mapping.layers.parameters())


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_so_many_fakes_are_mixed(game, share):
    game.style_mixing = share
    random = Randomness(0, count=400)
    batch = Batch(torch.zeros(400, *FACTS.shape), torch.zeros(400, dtype=torch.int64), random)
    with torch.no_grad():
        styles = game.fakes(batch).styles
    is_first = (styles == styles[:, :1]).all(2)
    mixed = ~is_first.all(1)
    assert abs(mixed.float().mean().item() - share) < 0.08
    crossings = is_first.sum(1)[mixed]
    # Each place between two layers is as likely as any other; behind it all styles are the others'.
    assert (is_first.int().diff(dim=1) <= 0).all()
    if share == 1:
        counts = crossings.bincount(minlength=game.generator.layers)[1:]
        assert (counts > 400 / (game.generator.layers - 1) / 2).all()


def test_mixing_and_noise_belong_to_the_image_and_not_to_its_place_in_a_part(game, batch):
    with_noise(game)
    whole = game.fakes(batch)
    parts = [game.fakes(part) for part in batch.split(2)]
    torch.testing.assert_close(torch.cat([part.images for part in parts]), whole.images)
    torch.testing.assert_close(torch.cat([part.styles for part in parts]), whole.styles)


def test_the_mean_of_styles_is_kept_and_copied_to_the_average(game):
    train_steps(game, 2)
    live, copied = game.generator.average, game.averages.copies["generator"].average
    assert live.updates == 4  # of two players in two steps
    assert live.value.abs().sum() > 0
    torch.testing.assert_close(copied.value, live.value)
    assert "generator.average.value" in game.state_dict()


def test_sampling_options(game):
    assert set(sampling_options(StyleGAN)) == {"psi", "cutoff", "noise", "styles"}
    assert set(sampling_options(GrowingStyleGAN)) == {"psi", "cutoff", "noise", "styles"}
    chosen = check_sampling(StyleGAN, {"psi": 0.5, "cutoff": 3, "noise": "coarse"})
    assert chosen == {"psi": 0.5, "cutoff": 3, "noise": "coarse"}
    with pytest.raises(UserError, match="no sampling option 'trunc'"):
        check_sampling(StyleGAN, {"trunc": 0.5})
    with pytest.raises(UserError, match="'noise'"):
        check_sampling(StyleGAN, {"noise": "some"})
    train_steps(with_noise(game), 1)
    game.eval()
    random, labels = Randomness(3, count=4), torch.arange(4) % 3
    with torch.no_grad():
        plain = game.sample(random, labels)
        torch.testing.assert_close(game.sample(random, labels), plain)
        mean = game.sample(random, labels, psi=0.0, noise="none")
        torch.testing.assert_close(mean, mean[:1].expand_as(mean))
        truncated = [game.sample(random, labels, psi=0.5, cutoff=cutoff) for cutoff in (None, 99, 2, 0)]
    torch.testing.assert_close(truncated[0], truncated[1])
    torch.testing.assert_close(truncated[3], plain)
    assert not torch.allclose(truncated[2], plain)
    assert not torch.allclose(truncated[2], truncated[0])


def test_rendering_is_mapping_and_synthesis(game):
    game.eval()
    latents = game.draw(Randomness(0, count=2), torch.tensor([0, 2]))
    with torch.no_grad():
        styles = game.map(latents, psi=0.7, cutoff=2)
        images = game.synthesise(styles, noise="none")
        torch.testing.assert_close(images, game.render(latents, psi=0.7, cutoff=2, noise="none"))
    assert latents.values.shape == (2, 8)


def test_a_generator_without_styles_is_refused():
    from ganlab_style.stylegan2_discriminator import StyleGAN2Discriminator

    with pytest.raises(UserError, match="Linear has none"):
        StyleGAN(torch.nn.Linear(2, 2), discriminator=StyleGAN2Discriminator((1, 4, 4)), loss=None)


def test_growth_needs_layers_for_every_level(growing):
    fixed = {"name": "stylegan2", "channel_base": 64, "channel_max": 4, "connections": "skip"}
    with pytest.raises(UserError, match="StyleGAN2Generator has no layers for images of every level"):
        growing(generator={**fixed, "style_size": 4})
    whole = growing(generator={**fixed, "style_size": 4}, growth="none")
    assert whole.stage.resolution == 16


@pytest.mark.parametrize("network", ["stylegan", "stylegan2"])
def test_styles_are_mixed_among_the_layers_of_the_stage(growing, network):
    small = {"name": network, "channel_base": 64, "channel_max": 4}
    small |= {"growing": True, "connections": "original"} if network == "stylegan2" else {}
    game = growing(
        generator=small | {"latent_size": 4, "style_size": 4, "mapping_layers": 1},
        discriminator=small,
        style_mixing=1.0,
    )
    before = state_of(game)
    random = Randomness(0, count=64)
    assert game.stage.resolution == 8
    first = game._mixing(random).first
    assert (first.min(), first.max()) == (1, 3)
    train_steps(game, 5)
    assert game.stage.fading
    assert game._mixing(random).first.max() == 5
    game.eval()
    with torch.no_grad():
        assert game.sample(Randomness(0, count=2), psi=0.5).shape == (2, 1, 16, 16)
    assert differing(before, state_of(game))


def test_rectangles_grow():
    facts = DataFacts((1, 12, 16), 24, "rectangles")
    game = example_module("style_growing", facts)
    seen = []
    game.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[1:])))
    train_steps(game, 6)
    assert (seen[0], seen[-1]) == ((1, 6, 8), (1, 12, 16))
    assert game.stage == Stage(16)
    game.eval()
    with torch.no_grad():
        assert game.sample(Randomness(0, count=2)).shape == (2, 1, 12, 16)
