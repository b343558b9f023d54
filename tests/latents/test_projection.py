"""Projection of images that the generator itself made, and the distances that are minimised."""

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d

from ganlab.errors import UserError
from ganlab.latents import Space, load_points, project
from ganlab.latents.distances import distance_to
from ganlab.latents.noise_maps import noise_penalty, normalise
from ganlab.latents.projection import rate_at, save_projections
from tests.latents.toys import plain, styled


@pytest.mark.parametrize("name", ["w", "w+"])
def test_the_styles_of_a_generated_image_are_found(name):
    generator = styled()
    target = generator.sample(1, seed=5, noise="none")
    found = project(generator, target, name, steps=200, optimise_noise=False, options={"noise": "none"})
    assert found.distance < 1e-3 * found.first
    styles = Space(generator).at("5").values
    if name == "w":  # the styles of w+ are not unique
        torch.testing.assert_close(found.points.values, styles, atol=0.05, rtol=0)
    torch.testing.assert_close(found.image, target, atol=0.05, rtol=0)
    assert found.distances.shape == (200,)
    assert (name == "w") == bool((found.points.values == found.points.values[:, :1]).all())


def test_a_projection_repeats_and_leaves_the_generator_alone():
    generator = styled()
    before = {name: value.clone() for name, value in generator.module.state_dict().items()}
    target = generator.sample(1, seed=5)
    first, again = (project(generator, target, steps=20) for _ in range(2))
    assert torch.equal(first.points.values, again.points.values)
    assert torch.equal(first.distances, again.distances)
    assert not torch.equal(first.distances, project(generator, target, steps=20, seed=1).distances)
    after = generator.module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    assert all(parameter.requires_grad for parameter in generator.module.generator.parameters())
    assert all(parameter.grad is None for parameter in generator.module.parameters())


def test_noise_is_optimised_and_stays_noise():
    generator = styled()
    target = generator.sample(1, seed=5)
    free = project(generator, target, steps=60, noise_weight=1.0)
    fixed = project(generator, target, steps=60, optimise_noise=False)
    assert free.distance < fixed.distance
    (noise,) = free.noise
    assert noise.shape == (1, 1, 8, 8)
    assert float(noise.mean().abs()) < 1e-5
    torch.testing.assert_close(noise.square().mean(), torch.tensor(1.0))
    strict = project(generator, target, steps=40).noise
    assert float(noise_penalty(strict)) < 1e-3


def test_latents_of_a_generator_without_styles_are_found(tmp_path):
    generator = plain(classes=2)
    target = generator.sample(1, seed=5, label="b")
    found = project(generator, target, steps=100, label="b")
    assert found.space == "z"
    assert found.distance < 0.1 * found.first
    save_projections([found], target, tmp_path, "pixels")
    assert load_points(tmp_path / "z.npz")["labels"].tolist() == [1]
    images = Space(generator).images(Space(generator).at(str(tmp_path / "z.npz")))
    torch.testing.assert_close(images, found.image)
    assert (tmp_path / "projection.png").exists()
    assert (tmp_path / "distance.png").exists()
    with pytest.raises(UserError, match=r"projection into w\+ needs styles"):
        project(generator, target, "w+")


def test_pixels_are_compared_at_all_scales():
    target, images = torch.zeros(1, 1, 16, 8), torch.randn(2, 1, 16, 8)
    scales = [images, avg_pool2d(images, 2)]
    wanted = sum(scale.square().mean((1, 2, 3)) for scale in scales) / 2
    torch.testing.assert_close(distance_to(target, "pixels", plain())(images), wanted)


def test_distances_that_there_are_not_are_told(tmp_path, monkeypatch):
    generator, target = plain(), torch.zeros(1, 1, 8, 8)
    with pytest.raises(UserError, match="there is no distance 'pixel'.*'pixels'"):
        distance_to(target, "pixel", generator)
    with pytest.raises(UserError, match="TinyDiscriminator tells no features"):
        distance_to(target, "discriminator", generator)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match="the weights of vgg16 are not on this machine"):
        distance_to(target, "lpips", generator)


@pytest.mark.slow
def test_lpips_is_that_of_torchmetrics_with_weights_of_our_own(tmp_path, monkeypatch):
    models = pytest.importorskip("torchvision.models")
    torch.manual_seed(0)
    network = models.vgg16(weights=None)
    monkeypatch.setattr(models, "vgg16", lambda **options: network)
    monkeypatch.setattr("ganlab.latents.distances.weights_file", lambda name: tmp_path)
    target = torch.zeros(1, 1, 8, 8)
    images = torch.rand(2, 1, 8, 8, requires_grad=True)
    distance = distance_to(target, "lpips", plain())
    (gradient,) = torch.autograd.grad(distance(images).sum(), images)
    assert gradient.abs().sum() > 0
    torch.testing.assert_close(distance(target), torch.zeros(1))


def test_the_rate_rises_rests_and_falls():
    assert rate_at(0) == 0
    assert rate_at(0.025) == pytest.approx(0.5)
    assert rate_at(0.05) == rate_at(0.75) == 1
    assert rate_at(0.875) == pytest.approx(0.5)


def test_correlated_noise_is_punished():
    white = torch.randn(1, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    normalise([white])
    smooth = nn.functional.avg_pool2d(nn.functional.pad(white, (2, 2, 2, 2), "circular"), 5, 1)
    normalise([smooth])
    assert float(noise_penalty([white])) < 0.02
    assert float(noise_penalty([smooth])) > 1
    by_hand = sum(float((white * white.roll(1, axis)).mean() ** 2) for axis in (2, 3))
    half = nn.functional.avg_pool2d(white, 2) * 2
    quarter = nn.functional.avg_pool2d(half, 2) * 2
    by_hand += sum(float((part * part.roll(1, axis)).mean() ** 2) for part in (half, quarter) for axis in (2, 3))
    assert float(noise_penalty([white])) == pytest.approx(by_hand)
