"""MSG-GAN: images of every level in generator, discriminator, penalties and samples."""

from __future__ import annotations

import pytest
import torch
from ganlab_objectives.consistency import Consistency
from ganlab_objectives.gradient_penalty import GradientPenalty
from ganlab_objectives.r1 import R1
from ganlab_objectives.r1_approximate import R1Approximate
from ganlab_style.multi_scale import MultiScaleGAN
from ganlab_style.multi_scale_discriminator import MultiScaleDiscriminator
from ganlab_style.pyramid import Pyramid
from ganlab_style.stylegan2_generator import StyleGAN2Generator
from ganlab_style.stylegan_discriminator import StyleGANDiscriminator
from ganlab_style.stylegan_generator import StyleGANGenerator
from torch.nn.functional import avg_pool2d

from ganlab.builder import Builder
from ganlab.contracts import Batch
from ganlab.errors import UserError
from ganlab.randomness import Randomness
from ganlab.spec import node_from
from ganlab.spec.sampling import sampling_options
from ganlab.testing import parameter_count
from ganlab.testing.examples import EXAMPLE_FACTS, example_module

FACTS = EXAMPLE_FACTS["images with classes"]
SMALL = {"channel_base": 128, "channel_max": 8}
SMALL_G = SMALL | {"latent_size": 6, "style_size": 5, "mapping_layers": 1}

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.fixture
def game():
    return example_module("msg", FACTS)


@pytest.fixture
def batch():
    random = Randomness(0, count=6)
    return Batch(random.uniform("images", *FACTS.shape) * 2 - 1, torch.arange(6) % 3, random)


def count_of(combine):
    """Parameters at 1024 pixels, from widths and StyleGAN's number: what a combination adds or takes away."""
    widths = [512, 512, 512, 512, 256, 128, 64, 32, 16]  # of 4 to 1024 pixels
    whole = 23_087_249 - sum(4 * width for width in widths[:-1])  # images enter at the top only
    statistics = 9 * sum(widths[1:])  # one channel more for the first convolution of the other levels
    total = whole + statistics
    for coarse, fine in zip(widths, widths[1:], strict=False):
        if combine == "simple":
            total += 9 * 3 * coarse
        elif combine == "cat_lin":
            total += (coarse + 3) * coarse
        else:
            half = coarse // 2
            total += 4 * half - 9 * fine * half - half  # the convolution before has half of the outputs
    return total


@pytest.mark.parametrize("combine", ["simple", "lin_cat", "cat_lin"])
def test_a_combination_adds_these_parameters(combine):
    with torch.device("meta"):
        network = MultiScaleDiscriminator((3, 1024, 1024), combine=combine)
    assert parameter_count(network) == count_of(combine)


@pytest.mark.parametrize("combine", ["simple", "lin_cat", "cat_lin"])
@pytest.mark.parametrize("size", [(16, 16), (12, 8)])
def test_every_size_is_judged_and_learns(combine, size):
    shape = (2, *size)
    generator = StyleGANGenerator(shape, **SMALL_G)
    discriminator = MultiScaleDiscriminator(shape, classes=3, combine=combine, stddev="coarsest", **SMALL)
    sizes = generator(torch.randn(4, 6), every_level=True)
    assert [tuple(images.shape[1:]) for images in sizes] == Pyramid(generator.levels, 2).shapes
    labels = torch.tensor([0, 1, 2, 0])
    discriminator(sizes, labels).logits.square().sum().backward()
    for network in (generator, discriminator):
        idle = {name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum()}
        assert not {name for name in idle if "noise_strength" not in name}
    with torch.no_grad():
        before = discriminator(sizes, labels).logits
        for index in range(len(sizes)):
            changed = [images + (0.5 if place == index else 0) for place, images in enumerate(sizes)]
            assert not torch.allclose(discriminator(changed, labels).logits, before)


def test_without_coarser_images_it_is_stylegans_discriminator():
    ours = MultiScaleDiscriminator((1, 16, 16), combine="simple", stddev_group=0, **SMALL)
    theirs = StyleGANDiscriminator((1, 16, 16), stddev_group=0, **SMALL)
    with torch.no_grad():
        theirs.from_image["16"].load_state_dict(ours.from_image.state_dict())
        for part, other in ((ours.blocks["8"], theirs.blocks["8"]), (ours.head, theirs.head)):
            state = part.state_dict()
            key = next(key for key in state if key.endswith("convolution.parametrizations.weight.original"))
            # The fan-in is that of nine channels, not eight; so is the constant that the weights are multiplied by.
            other.load_state_dict(state | {key: state[key][:, :8] * (8 / 9) ** 0.5})
        theirs.blocks["16"].load_state_dict(ours.blocks["16"].state_dict())
    images = torch.randn(4, 1, 16, 16)
    nothing = [torch.zeros(4, 1, side, side) for side in (4, 8)]
    torch.testing.assert_close(ours([*nothing, images]).logits, theirs(images).logits)


def test_levels_are_those_of_the_stages():
    generator = StyleGANGenerator((1, 16, 16), **SMALL_G)
    styles = generator.styles(torch.randn(2, 6))
    sizes = generator.images_at(styles, [0, 1, 2])
    torch.testing.assert_close(sizes[2], generator.synthesise(styles))
    torch.testing.assert_close(sizes[1], generator.images_at(styles, [1])[0])
    skip = StyleGAN2Generator((1, 16, 16), **SMALL_G)
    styles = skip.styles(torch.randn(2, 6))
    sizes = skip.images_at(styles, [0, 1, 2])
    last = skip.to_image["16"](_features(skip, styles), styles[:, 5])
    torch.testing.assert_close(sizes[2], skip.resampler.up(sizes[1]) + last)


def _features(generator, styles):
    features = generator.constant.repeat(len(styles), 1, 1, 1)
    for index, level in enumerate(generator.levels):
        features = generator._block(level, features, styles, index, "all")
    return features


def test_a_pyramid_of_reals_holds_the_means_of_their_pixels():
    levels = StyleGANGenerator((2, 16, 8), **SMALL_G).levels
    pyramid = Pyramid(levels, 2)
    images = torch.randn(3, 2, 16, 8)
    parts = pyramid.unpack(pyramid.of(images))
    assert pyramid.part_sizes == (16, 64, 256)
    for factor, part in zip((4, 2, 1), parts, strict=True):
        torch.testing.assert_close(part, avg_pool2d(images, factor))
    assert torch.equal(pyramid.pack(parts), pyramid.of(images))


def test_penalties_are_means_over_the_sizes(game, batch):
    game = game.double()
    images = game.pyramid.of(batch.images.double())
    doubled = Batch(images, batch.labels, batch.random)
    with torch.no_grad():
        fakes = game.fakes(doubled)
    views = game.views("discriminator", doubled, fakes)

    def slopes(points, labels):
        sizes = [part.detach().requires_grad_() for part in game.pyramid.unpack(points)]
        logits = game.discriminator(sizes, labels).logits
        return torch.autograd.grad(logits.sum(), sizes)

    expected = [slope.square().sum((1, 2, 3)).mean() / 2 for slope in slopes(images, batch.labels)]
    exact = R1().penalty(views)
    torch.testing.assert_close(exact, torch.stack(expected).mean())
    near = R1(finite_difference=1e-4).penalty(views)
    torch.testing.assert_close(near, exact, rtol=1e-3, atol=0.0)
    share = views.random.uniform("interpolation").double()[:, None]
    between = fakes.images.lerp(images, share)
    norms = [slope.square().sum((1, 2, 3)).sqrt() for slope in slopes(between, batch.labels)]
    expected = torch.stack([(norm - 1).square().mean() for norm in norms]).mean()
    torch.testing.assert_close(GradientPenalty().penalty(views), expected)
    noise = views.random.normal("real_images/step", images.shape[1]).double()
    slope = torch.cat([part.flatten(1) for part in slopes(images, batch.labels)], dim=1)
    change = (1e-4 * noise * slope).sum(1).square().mean() / 3
    torch.testing.assert_close(R1Approximate(deviation=1e-4).penalty(views), change, rtol=0.02, atol=0.0)


def test_what_changes_plain_images_is_refused(game, batch):
    vectors = Batch(game.pyramid.of(batch.images), batch.labels, batch.random)
    with pytest.raises(UserError, match="several sizes at once: leave it out"):
        Consistency(FACTS.shape).penalty(game.views("discriminator", vectors, game.fakes(vectors)))


def test_all_sizes_of_an_image_are_augmented_alike(batch):
    class Mirror(torch.nn.Module):
        def forward(self, images, random):
            return torch.where((random.uniform("flip") < 0.5)[:, None, None, None], images.flip(-1), images)

    game = example_module("msg", FACTS)
    game.augmentation = Mirror()
    seen = []
    game.discriminator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    images = game.pyramid.of(batch.images)
    game.judge(images, batch.labels, batch.random)
    mirrored = batch.random.uniform("flip") < 0.5
    assert mirrored.any()
    assert not mirrored.all()
    expected = torch.where(mirrored[:, None, None, None], batch.images.flip(-1), batch.images)
    for ours, theirs in zip(seen[0], game.pyramid.unpack(game.pyramid.of(expected)), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_samples_of_a_level(game):
    game.eval()
    assert "level" in sampling_options(MultiScaleGAN)
    random, labels = Randomness(0, count=3), torch.arange(3)
    with torch.no_grad():
        smallest, whole = (game.sample(random, labels, level=level) for level in (0, 2))
        torch.testing.assert_close(whole, game.sample(random, labels))
        with pytest.raises(UserError, match="no level 3: the images have the levels 0 to 2"):
            game.sample(random, labels, level=3)
    assert smallest.shape == (3, *FACTS.shape)
    torch.testing.assert_close(smallest, avg_pool2d(smallest, 4).repeat_interleave(4, 2).repeat_interleave(4, 3))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"generator": {"name": "stylegan2", "connections": "residual", **SMALL_G}}, "no images at every level"),
        ({"discriminator": {"name": "stylegan", **SMALL}}, "needs a discriminator that takes in images of every size"),
    ],
)
def test_networks_that_know_one_size_are_refused(changes, sentence):
    node = node_from("architectures", {"name": "msg", **MultiScaleGAN.example, **changes})
    with pytest.raises(UserError, match=sentence):
        Builder(FACTS).construct(node, "architecture")


@pytest.mark.parametrize("conditioning", ["scores", "projection", "classifier", "concatenated", "none"])
def test_labels_enter_the_discriminator_of_all_sizes_as_they_are_told_to(conditioning):
    network = MultiScaleDiscriminator((3, 16, 16), 3, conditioning=conditioning, **SMALL).eval()
    images = [torch.randn(4, 3, side, side) for side in (4, 8, 16)]
    first, second = (network(images, labels) for labels in (torch.tensor([0, 1, 2, 0]), torch.tensor([1, 2, 0, 1])))
    assert torch.equal(first.logits, second.logits) == (conditioning in ("none", "classifier"))
    assert (first.class_scores is not None) == (conditioning == "classifier")
