"""Networks against published parameter counts, and against what follows from the papers' formulas."""

from __future__ import annotations

import pytest
import torch
from ganlab_style.adaptive import AdaptiveNorm
from ganlab_style.generator import Mixing
from ganlab_style.mapping import MappingNetwork
from ganlab_style.stylegan2_discriminator import StyleGAN2Discriminator
from ganlab_style.stylegan2_generator import StyleGAN2Generator
from ganlab_style.stylegan_discriminator import StyleGANDiscriminator
from ganlab_style.stylegan_generator import StyleGANGenerator
from torch.nn.functional import instance_norm

from ganlab.errors import UserError
from ganlab.games.growth import Stage
from ganlab.testing import parameter_count

SMALL = {"channel_base": 128, "channel_max": 8, "latent_size": 6, "style_size": 5, "mapping_layers": 2}
SMALL_D = {"channel_base": 128, "channel_max": 8}
BASELINE = {"styles": False, "mapping_layers": 0, "input": "latents", "noise": False}

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize(
    ("resolution", "options", "generator", "discriminator"),
    [
        (1024, {}, 30_370_060, 29_012_513),
        (512, {}, 30_276_583, 28_982_849),
        (256, {}, 30_034_338, 28_864_129),
        (64, {}, 27_032_600, 26_488_833),
        (32, {}, 21_523_475, 21_507_073),
        (1024, {"channel_base": 16384}, 24_900_764, 24_038_161),
        (256, {"channel_base": 16384}, 24_767_458, 24_001_089),
        (1024, {"channel_base": 16384, "connections": "original"}, 23_596_292, 23_077_137),
        (1024, {"connections": "original"}, 28_817_908, 27_789_857),
    ],
)
def test_stylegan2_has_the_published_numbers_of_parameters(resolution, options, generator, discriminator):
    shape = (3, resolution, resolution)
    with torch.device("meta"):
        counts = (
            parameter_count(StyleGAN2Generator(shape, **options)),
            parameter_count(StyleGAN2Discriminator(shape, **options)),
        )
    assert counts == (generator, discriminator)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({**BASELINE, "blur": None}, 23_079_115),  # A
        (BASELINE, 23_079_115),  # B
        ({"input": "latents", "noise": False}, 30_400_651),  # C
        ({"noise": False}, 26_214_539),  # D
        ({}, 26_219_627),  # E and F
    ],
)
def test_stylegan_has_the_published_numbers_of_parameters(options, count):
    with torch.device("meta"):
        assert parameter_count(StyleGANGenerator((3, 1024, 1024), **options)) == count
        assert parameter_count(StyleGANDiscriminator((3, 1024, 1024))) == 23_087_249


@pytest.mark.parametrize("connections", ["skip", "residual", "original"])
@pytest.mark.parametrize("size", [(16, 16), (12, 16), (24, 8)])
def test_every_connection_makes_and_judges_images_of_any_size(connections, size):
    shape = (2, *size)
    generator = StyleGAN2Generator(shape, connections=connections, **SMALL)
    discriminator = StyleGAN2Discriminator(shape, connections=connections, **SMALL_D)
    images, styles = generator(torch.randn(3, 6), with_styles=True)
    assert images.shape == (3, *shape)
    assert styles.shape == (3, generator.layers, 5)
    assert discriminator(images).logits.shape == (3,)
    discriminator(images).logits.sum().backward()
    idle = {name for name, p in generator.named_parameters() if p.grad is None or not p.grad.abs().sum()}
    # The affine layers of to_image and all else learn; noise strengths get their gradient from noise.
    assert not idle


def test_images_of_strange_sizes_are_refused_with_what_to_do():
    with pytest.raises(UserError, match="50 x 36 pixels can be halved to 25 x 18 only.*such as 64, "):
        StyleGAN2Generator((3, 50, 36))
    with pytest.raises(UserError, match="for images"):
        StyleGAN2Discriminator((2,))


def test_scaling_activations_is_scaling_weights():
    generator = StyleGAN2Generator((3, 16, 16), **SMALL).double()
    fused = StyleGAN2Generator((3, 16, 16), fused=True, **SMALL).double()
    fused.load_state_dict(generator.state_dict())
    latents = torch.randn(3, 6, dtype=torch.float64)
    results = []
    for network in (generator, fused):
        torch.manual_seed(1)
        images = network(latents)
        results.append([images, *torch.autograd.grad(images.sin().sum(), network.parameters())])
    torch.testing.assert_close(*results)


def test_labels_reach_both_networks():
    labels = torch.tensor([0, 1, 2])
    generator = StyleGAN2Generator((1, 8, 8), classes=3, noise=False, **SMALL)
    discriminator = StyleGAN2Discriminator((1, 8, 8), classes=3, stddev_group=0, **SMALL_D)
    old = StyleGANDiscriminator((1, 8, 8), classes=3, stddev_group=0, **SMALL_D)
    images = generator(torch.randn(1, 6).expand(3, -1), labels)
    assert not torch.allclose(images[0], images[1])
    for network in (discriminator, old):
        same = images[:1].expand(3, -1, -1, -1)
        assert network(same, labels).logits.unique().numel() == 3
    scores = discriminator(images, labels)
    vectors = discriminator.mapping(None, labels)
    expected = (discriminator.head.last(scores.features[0]) * vectors).sum(1) / vectors.shape[1] ** 0.5
    torch.testing.assert_close(scores.logits, expected)
    assert StyleGAN2Discriminator((1, 8, 8), classes=3, conditional=False, **SMALL_D).mapping is None


@pytest.mark.parametrize("make", [StyleGAN2Generator, StyleGANGenerator])
def test_layers_behind_the_crossing_have_the_others_styles(make):
    generator = make((1, 16, 16), **SMALL).eval()
    ours, others = torch.randn(2, 6), torch.randn(2, 6)
    styles = generator.styles(ours, mixing=Mixing(others, torch.tensor([2, generator.layers])))
    own, other = generator.styles(ours), generator.styles(others)
    torch.testing.assert_close(styles[0], torch.cat([own[0, :2], other[0, 2:]]))
    torch.testing.assert_close(styles[1], own[1])
    # What a layer's style cannot change are the features before it.
    assert generator.layers == 6
    assert generator.layers_at(Stage(8)) == 4


@pytest.mark.parametrize("make", [StyleGAN2Generator, StyleGANGenerator])
def test_truncation_goes_towards_the_mean_of_the_styles_in_training(make):
    generator = make((1, 8, 8), average_decay=0.9, **SMALL)
    latents = torch.randn(50, 6)
    vectors = generator.mapping(latents)
    generator(latents)
    generator.average.commit()
    generator.eval()
    generator(torch.randn(5, 6))
    generator.average.commit()  # evaluation adds nothing
    mean = generator.average.current()
    torch.testing.assert_close(mean, vectors.mean(0))
    styles = generator.styles(latents)
    half = generator.truncate(styles, 0.5, cutoff=2)
    torch.testing.assert_close(half[:, 2:], styles[:, 2:])
    torch.testing.assert_close(half[:, :2], (styles[:, :2] + mean) / 2)
    torch.testing.assert_close(generator.truncate(styles, 0.0), mean.expand_as(styles))
    assert generator.truncate(styles, 1.0) is styles


@pytest.mark.parametrize("make", [StyleGAN2Generator, StyleGANGenerator])
def test_noise_by_group_of_layers(make):
    generator = make((1, 16, 16), **SMALL)
    styles = generator.styles(torch.randn(2, 6))

    def spread(noise):
        images = [generator.synthesise(styles, noise=noise) for _ in range(2)]
        return (images[0] - images[1]).abs().max().item()

    assert spread("all") == 0  # the strength starts at 0
    for name, parameter in generator.named_parameters():
        if name.endswith("noise_strength"):
            torch.nn.init.ones_(parameter)
    assert spread("none") == 0
    assert spread("fine") > 0
    assert spread("coarse") > 0
    seen = []
    for name, block in generator.blocks.items():
        block[0].register_forward_pre_hook(lambda _, inputs, name=name: seen.append((name, inputs[2])))
    for noise in ("fine", "coarse", "all"):
        generator.synthesise(styles, noise=noise)
    noisy = [name for name, noisy in seen if noisy]
    assert noisy == ["8", "16", "4", "4", "8", "16"]


def test_adaptive_norm_is_instance_norm_with_gain_and_bias_of_a_style():
    norm = AdaptiveNorm(3, 4).double()
    features, styles = torch.randn(2, 3, 5, 6, dtype=torch.float64), torch.randn(2, 4, dtype=torch.float64)
    gain, bias = norm.affine(styles).chunk(2, dim=1)
    expected = instance_norm(features, eps=1e-8) * (1 + gain)[..., None, None] + bias[..., None, None]
    torch.testing.assert_close(norm(features, styles), expected)


def test_the_mapping_learns_at_its_multiplier():
    plain, slow = (MappingNetwork(6, 0, 6, 1, multiplier) for multiplier in (1.0, 0.01))
    with torch.no_grad():
        slow.layers[0].weight = plain.layers[0].weight
    latents = torch.randn(4, 6)
    torch.testing.assert_close(plain(latents), slow(latents))
    steps = []
    for mapping in (plain, slow):
        before = mapping(latents).detach()
        optimizer = torch.optim.Adam(mapping.parameters(), lr=1e-4)
        mapping(latents).sum().backward()
        optimizer.step()
        steps.append((mapping(latents) - before).norm())
    torch.testing.assert_close(steps[1] / steps[0], torch.tensor(0.01), rtol=0.05, atol=0.0)
    # The gain before or behind a rectifier gives the same at the start.
    behind, before = (MappingNetwork(6, 0, 6, 2, 0.01, gain_in_weights=inside) for inside in (False, True))
    with torch.no_grad():
        for ours, theirs in zip(before.layers[::2], behind.layers[::2], strict=True):
            ours.weight = theirs.weight * 2**0.5
    torch.testing.assert_close(before(latents), behind(latents))


def test_the_mapping_stays_in_full_precision():
    mapping = MappingNetwork(6, 2, 6, 2, 0.01)
    latents, labels = torch.randn(3, 6), torch.tensor([0, 1, 1])
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(mapping(latents, labels), mapping(latents, labels).float())
        torch.testing.assert_close(mapping(latents, labels), MappingNetwork.forward(mapping, latents, labels))
    assert mapping(latents, labels).dtype == torch.float32


@pytest.mark.parametrize(
    ("generator", "discriminator"),
    [
        (StyleGANGenerator((1, 16, 16), **SMALL), StyleGANDiscriminator((1, 16, 16), **SMALL_D)),
        (
            StyleGAN2Generator((1, 16, 16), connections="original", growing=True, **SMALL),
            StyleGAN2Discriminator((1, 16, 16), connections="original", growing=True, **SMALL_D),
        ),
    ],
    ids=["stylegan", "stylegan2"],
)
def test_a_fade_begins_with_the_images_of_the_stage_before(generator, discriminator):
    latents = torch.randn(2, 6)
    small, large = generator(latents, None, Stage(8)), generator(latents, None, Stage(16, 0.0))
    assert small.shape == (2, 1, 8, 8)
    torch.testing.assert_close(large, small.repeat_interleave(2, 2).repeat_interleave(2, 3))
    torch.testing.assert_close(generator(latents, None, Stage(16)), generator(latents))
    middle = generator(latents, None, Stage(16, 0.25))
    torch.testing.assert_close(middle, 0.75 * large + 0.25 * generator(latents))
    torch.testing.assert_close(
        discriminator(large, None, Stage(16, 0.0)).logits, discriminator(small, None, Stage(8)).logits
    )
    torch.testing.assert_close(discriminator(middle, None, Stage(16)).logits, discriminator(middle).logits)


@pytest.mark.parametrize("connections", ["skip", "residual"])
def test_growing_is_for_original_connections(connections):
    for network in (StyleGAN2Generator, StyleGAN2Discriminator):
        with pytest.raises(UserError, match=f"and these are '{connections}'"):
            network((1, 8, 8), connections=connections, growing=True)


def test_filters_with_the_wrong_number_of_taps_are_refused():
    with pytest.raises(UserError, match="'filter' has 1 taps"):
        StyleGAN2Generator((1, 8, 8), filter=[1.0], **SMALL)
    with pytest.raises(UserError, match="'blur' has 2 taps"):
        StyleGANGenerator((1, 8, 8), blur=[1.0, 1.0], **SMALL)


def test_clamped_features_stay_within_bounds():
    generator = StyleGAN2Generator((1, 8, 8), clamp=0.5, **SMALL)
    assert generator(torch.randn(4, 6)).abs().max() <= 1.0  # the sum of two images
    discriminator = StyleGAN2Discriminator((1, 8, 8), clamp=0.5, **SMALL_D)
    seen = []
    for layer in (discriminator.from_image["8"], discriminator.blocks["8"][1]):
        layer.register_forward_hook(lambda *call: seen.append(call[2].abs().max().item()))
    discriminator(100 * torch.randn(4, 1, 8, 8))
    # The second is a branch of a residual sum, which has sqrt(1/2) of everything.
    assert seen[0] == 0.5
    assert 0 < seen[1] <= 0.5 * 0.5**0.5


@pytest.mark.parametrize("autocast", [False, True])
def test_images_are_in_full_precision(autocast):
    generator = StyleGAN2Generator((3, 16, 16), **SMALL)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        assert generator(torch.randn(2, 6)).dtype == torch.float32


def test_configuration_a_is_the_progressive_family():
    progressive = pytest.importorskip("ganlab_progressive.generator")
    judging = pytest.importorskip("ganlab_progressive.discriminator")
    theirs = progressive.ProgressiveGenerator(16, 3, latent_size=6, fmap_base=64, fmap_max=8)
    ours = StyleGANGenerator((3, 16, 16), **{**SMALL, **BASELINE}, blur=None)
    assert parameter_count(ours) == parameter_count(theirs)
    with torch.no_grad():
        _copy_in_order(theirs, ours)
    latents = torch.randn(3, 6)
    for stage in (Stage(4), Stage(8, 0.3), Stage(16)):
        torch.testing.assert_close(ours(latents, None, stage), theirs(latents, None, stage))
    their_judge = judging.ProgressiveDiscriminator(16, 3, fmap_base=64, fmap_max=8, fused=True)
    our_judge = StyleGANDiscriminator((3, 16, 16), blur=None, **SMALL_D)
    with torch.no_grad():
        _copy_in_order(their_judge, our_judge)
    images = torch.randn(4, 3, 16, 16)
    torch.testing.assert_close(our_judge(images).logits, their_judge(images).logits)


def _copy_in_order(source, target):
    """Both list their layers in the same order, weights and biases of a layer in another."""
    for is_bias in (False, True):
        ours, theirs = ([p for p in network.parameters() if (p.dim() == 1) == is_bias] for network in (target, source))
        for ours_one, theirs_one in zip(ours, theirs, strict=True):
            assert ours_one.numel() == theirs_one.numel()
            ours_one.copy_(theirs_one.view_as(ours_one))
