"""The published networks: parameters, layers, and what a stage runs."""

from __future__ import annotations

import pytest
import torch
from ganlab_progressive.adaptive_noise import AdaptiveNoise
from ganlab_progressive.discriminator import ProgressiveDiscriminator
from ganlab_progressive.generator import ProgressiveGenerator
from ganlab_progressive.minibatch_discrimination import MinibatchDiscrimination
from torch.nn.functional import avg_pool2d, interpolate

from ganlab.contracts import DataFacts
from ganlab.errors import SpecError, UserError
from ganlab.games.growth import Stage
from ganlab.testing import parameter_count
from ganlab.testing.examples import build_example

SMALL = {"fmap_base": 64, "fmap_max": 12}

pytestmark = pytest.mark.usefixtures("seeded")


def small(resolution=32, channels=3, classes=0, **options):
    """Both networks in float64."""
    generator = ProgressiveGenerator(resolution, channels, classes, latent_size=6, **SMALL)
    return generator.double(), ProgressiveDiscriminator(resolution, channels, classes, **SMALL, **options).double()


@pytest.mark.parametrize(
    ("resolution", "options", "latent_size", "generator", "discriminator"),
    [
        (1024, {}, 512, 23_079_115, 23_087_249),
        (256, {}, 512, 23_044_309, 23_052_353),
        (128, {}, 512, 22_933_394, 22_941_313),
        (128, {"fmap_base": 2048}, 512, 13_629_810, 13_636_897),
        (32, {"fmap_base": 4096, "fmap_max": 128}, 128, 1_296_908, 1_298_689),
    ],
)
def test_published_parameter_counts(resolution, options, latent_size, generator, discriminator):
    with torch.device("meta"):
        assert parameter_count(ProgressiveGenerator(resolution, 3, latent_size=latent_size, **options)) == generator
        assert parameter_count(ProgressiveDiscriminator(resolution, 3, **options)) == discriminator


def test_only_the_last_rgb_layer_counts_at_the_end():
    with torch.device("meta"):
        generator, discriminator = ProgressiveGenerator(1024, 3), ProgressiveDiscriminator(1024, 3)
    for network, layers, count in (
        (generator, generator.to_rgb, 23_071_507),
        (discriminator, discriminator.from_rgb, 23_077_137),
    ):
        unused = sum(parameter_count(layer) for name, layer in layers.items() if name != "1024")
        assert parameter_count(network) - unused == count


@pytest.mark.parametrize("channels", [1, 3, 6])
@pytest.mark.parametrize("resolution", [4, 8, 64])
def test_shapes_at_every_stage(resolution, channels):
    generator, discriminator = small(resolution, channels)
    for r in generator.resolutions:
        for blend in (1.0, 0.3) if r > 4 else (1.0,):
            images = generator(torch.randn(5, 6).double(), None, Stage(r, blend))
            assert images.shape == (5, channels, r, r)
            assert discriminator(images, None, Stage(r, blend)).logits.shape == (5,)


@pytest.mark.parametrize("resolution", [0, 2, 6, 48, -4])
@pytest.mark.parametrize("network", [ProgressiveGenerator, ProgressiveDiscriminator])
def test_other_resolutions_are_refused_with_a_sentence(resolution, network):
    with pytest.raises(UserError, match=f"powers of two, not {resolution}"):
        network(resolution, 3)


def outputs_of(network, *arguments):
    """The output of every layer that runs, by name, and of the network itself."""
    outputs = {}
    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: outputs.__setitem__(name, output))
        for name, module in network.named_modules()
    ]
    network(*arguments)
    for handle in handles:
        handle.remove()
    return outputs


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_generator_at_both_ends_of_a_fade(resolution):
    generator, _ = small()
    latents = torch.randn(4, 6).double()
    before = outputs_of(generator, latents, None, Stage(resolution // 2))
    start = outputs_of(generator, latents, None, Stage(resolution, 0.0))
    end = outputs_of(generator, latents, None, Stage(resolution, 1 - 1e-16))
    after = outputs_of(generator, latents, None, Stage(resolution))
    torch.testing.assert_close(start[""], interpolate(before[""], scale_factor=2.0), rtol=0, atol=0)
    torch.testing.assert_close(end[""], after[""], rtol=1e-15, atol=1e-15)
    assert before.keys() < start.keys()
    assert after.keys() < start.keys() - {f"to_rgb.{resolution // 2}"} | {""}
    for smaller in (before, after):
        assert all(torch.equal(value, start[name]) for name, value in smaller.items() if name)


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_discriminator_at_both_ends_of_a_fade(resolution):
    _, discriminator = small()
    images = torch.randn(4, 3, resolution, resolution).double()
    before = outputs_of(discriminator, avg_pool2d(images, 2), None, Stage(resolution // 2))
    start = outputs_of(discriminator, images, None, Stage(resolution, 0.0))
    after = outputs_of(discriminator, images, None, Stage(resolution))
    for name, value in before.items():
        torch.testing.assert_close(start[name], value, rtol=1e-13, atol=1e-13)
    end = outputs_of(discriminator, images, None, Stage(resolution, 1 - 1e-16))
    for name, value in after.items():
        torch.testing.assert_close(end[name], value, rtol=1e-13, atol=1e-13)


def test_a_blend_is_in_between():
    generator, _ = small()
    latents = torch.randn(4, 6).double()
    coarse, fine, middle = (generator(latents, None, Stage(16, blend)) for blend in (0.0, 1.0, 0.25))
    torch.testing.assert_close(middle, 0.75 * coarse + 0.25 * fine)


@pytest.mark.parametrize("blend", [0.5, 1.0])
def test_only_what_a_stage_needs_has_gradients(blend):
    generator, discriminator = small()
    stage = Stage(16, blend)
    discriminator(generator(torch.randn(4, 6).double(), None, stage), None, stage).logits.sum().backward()
    used = {"4", "8", "16"}
    rgb = {"16"} | ({"8"} if blend < 1 else set())
    for network, place in ((generator, "to_rgb"), (discriminator, "from_rgb")):
        for name, parameter in network.named_parameters():
            kind, size = name.split(".")[:2]
            needed = kind == "head" or size in (rgb if kind == place else used)
            assert (parameter.grad is not None) == needed, name
    assert generator.normalise(torch.full((1, 2), 3.0)).tolist() == [[1.0, 1.0]]


def test_order_of_a_generator_layer_and_pixel_norm():
    generator, _ = small()
    layer = generator.blocks["8"][1]
    maps = torch.randn(2, 12, 8, 8).double()
    rectified = torch.nn.functional.leaky_relu(layer.operation(maps), 0.2)
    expected = rectified / (rectified.square().mean(1, keepdim=True) + 1e-8).sqrt()
    torch.testing.assert_close(layer(maps), expected)


def test_the_function_does_not_depend_on_where_the_scale_is():
    plain = ProgressiveGenerator(16, 3, latent_size=6, **SMALL, equalized=False)
    scaled = ProgressiveGenerator(16, 3, latent_size=6, **SMALL)
    for name, stored in scaled.named_parameters():
        if stored.dim() > 1:
            assert stored.std().item() == pytest.approx(1, rel=0.3), name
    latents = torch.randn(512, 6)
    deviations = [network(latents).std().item() for network in (scaled, plain)]
    assert deviations[0] == pytest.approx(deviations[1], rel=0.5)
    first = dict(plain.named_parameters())["blocks.4.0.operation.weight"]
    assert first.std().item() == pytest.approx(2**0.5 / 4 / 6**0.5, rel=0.1)


def test_labels_enter_one_hot_and_leave_as_scores():
    generator, discriminator = small(16, 1, 3)
    latents, labels = torch.randn(2, 6).double(), torch.tensor([0, 2])
    images = generator(latents, labels)
    assert not torch.equal(images, generator(latents, labels.flip(0)))
    scores = discriminator(images, labels)
    outputs = discriminator.head.last(scores.features[-1])
    assert outputs.shape == (2, 4)
    assert torch.equal(scores.logits, outputs[:, 0])
    assert torch.equal(scores.class_scores, outputs[:, 1:])
    assert small(16, 1)[1](images).class_scores is None
    for network in (ProgressiveGenerator, ProgressiveDiscriminator):
        plain = parameter_count(network(16, 1, **SMALL))
        assert parameter_count(network(16, 1, 3, **SMALL, conditional=False)) == plain
        assert parameter_count(network(16, 1, 3, **SMALL)) > plain


def test_fusing_changes_no_image_and_no_parameter():
    networks = [ProgressiveGenerator(32, 3, latent_size=6, **SMALL, fused=fused).double() for fused in (True, False)]
    networks[1].load_state_dict(networks[0].state_dict())
    latents = torch.randn(3, 6).double()
    torch.testing.assert_close(networks[0](latents), networks[1](latents), rtol=1e-12, atol=1e-12)
    assert parameter_count(small(fused=True)[1]) == parameter_count(small()[1])


def test_minibatch_discrimination_by_hand():
    layer = MinibatchDiscrimination(4, 3, 2).double()
    vectors = torch.randn(5, 4).double()
    short = torch.einsum("ni,ikd->nkd", vectors, layer.weight)
    for index, row in enumerate(layer(vectors)):
        others = [torch.exp(-(short[index] - short[j]).abs().sum(1)) for j in range(5) if j != index]
        torch.testing.assert_close(row, torch.cat([vectors[index], torch.stack(others).sum(0)]))


@pytest.mark.parametrize("minibatch", ["stddev", "discrimination", "none"])
def test_ways_to_see_a_batch(minibatch):
    _, discriminator = small(8, 1, minibatch=minibatch)
    images = torch.randn(4, 1, 8, 8).double()
    alone = torch.stack([discriminator(image[None]).logits for image in images]).flatten()
    assert torch.allclose(discriminator(images).logits, alone) == (minibatch == "none")


def test_noise_follows_the_opinion_of_fakes():
    noise = AdaptiveNoise(0.2).double()
    for _ in range(50):
        noise.observe(torch.tensor([0.0, 0.6, 5.0]).double())
        noise.average.commit()
    assert noise.average.current().item() == pytest.approx(1 - 0.9**50)
    assert noise.strength.item() == pytest.approx(0.2 * (0.5 - 0.9**50) ** 2)
    features = torch.ones(400, 100, 1, 2).double()
    noisy = noise(features)
    assert torch.equal(noisy[..., 0], noisy[..., 1])
    assert noisy.mean().item() == pytest.approx(1, abs=0.01)
    assert noisy.std().item() == pytest.approx(10 * noise.strength.item(), rel=0.02)
    assert torch.equal(noise.eval()(features), features)


def test_noise_is_state_of_the_network_once():
    _, discriminator = small(16, 1, noise=0.2)
    assert [name for name, _ in discriminator.named_buffers()] == ["noise.average.value", "noise.average.updates"]
    images = torch.randn(4, 1, 16, 16).double()
    assert torch.equal(discriminator(images).logits, discriminator(images).logits)
    discriminator.noise.average.value.fill_(1.0)
    assert not torch.equal(discriminator(images).logits, discriminator(images).logits)


def test_rectangles_are_told_of_what_makes_them_square():
    facts = DataFacts((3, 64, 48), 10, "rectangles")
    with pytest.raises(SpecError, match=r"needs square images, but the data have the shape 3 x 64 x 48: set 'data"):
        build_example("generators", "progressive", facts)
