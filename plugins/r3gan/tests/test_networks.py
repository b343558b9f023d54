"""The networks against published parameter counts and their own formulas."""

from __future__ import annotations

import pytest
import torch
from ganlab_r3gan.blocks import ResidualBlock, check_groups, start_size
from ganlab_r3gan.discriminator import R3GANDiscriminator
from ganlab_r3gan.generator import R3GANGenerator
from ganlab_r3gan.stripped import StrippedDiscriminator, StrippedGenerator
from torch.nn.functional import conv2d, leaky_relu

from ganlab.errors import UserError
from ganlab.testing import parameter_count

SMALL = {"widths": [8, 8, 4], "groups": [2, 2, 1]}

pytestmark = pytest.mark.usefixtures("seeded")


@pytest.mark.parametrize(
    ("resolution", "classes", "widths", "groups", "generator", "discriminator"),
    [
        (32, 10, [768] * 4, [96] * 4, 20_781_952, 21_280_512),
        (32, 0, [768] * 4, [96] * 4, 20_732_160, 20_683_776),
        (64, 0, [768] * 4 + [384], [96] * 4 + [48], 22_429_824, 22_381_440),
        (256, 0, [768] * 4 + [384, 192, 96], [96] * 4 + [48, 24, 12], 23_057_952, 23_009_568),
        (32, 1000, [1536] * 4, [96] * 4, 82_914_304, 86_548_992),
        (64, 1000, [1536] * 5, [96] * 5, 103_570_432, 107_205_120),
    ],
)
def test_published_numbers_of_parameters(resolution, classes, widths, groups, generator, discriminator):
    with torch.device("meta"):
        networks = [
            make((3, resolution, resolution), widths, groups, classes) for make in (R3GANGenerator, R3GANDiscriminator)
        ]
    assert list(map(parameter_count, networks)) == [generator, discriminator]


def test_a_block_is_its_formula_and_starts_as_the_identity():
    block, features = ResidualBlock(6, 3, 16), torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(block(features), features)
    assert block.expand.weight.std().item() == pytest.approx((2 / 1.04 / 6) ** 0.5 / 2, rel=0.2)
    assert block.mix.weight.std().item() == pytest.approx((2 / 1.04 / 36) ** 0.5 / 2, rel=0.15)
    for parameter in block.parameters():
        torch.nn.init.normal_(parameter)
    inside = leaky_relu(conv2d(features, block.expand.weight, block.first.bias), 0.2)
    inside = leaky_relu(conv2d(inside, block.mix.weight, block.second.bias, padding=1, groups=3), 0.2)
    torch.testing.assert_close(block(features), features + conv2d(inside, block.reduce.weight))


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_everything_learns_for_images_of_any_size(size):
    generator = R3GANGenerator((2, *size), latent_size=5, classes=3, embedding_size=4, **SMALL)
    discriminator = R3GANDiscriminator((2, *size), classes=3, **SMALL)
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            if name.endswith("reduce.weight"):
                torch.nn.init.normal_(parameter, 0.0, 0.1)
    labels = torch.tensor([0, 2, 1])
    images = generator(torch.randn(3, 5), labels)
    assert images.shape == (3, 2, *size)
    scores = discriminator(images, labels)
    assert scores.logits.shape == (3,)
    scores.logits.square().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    same = images[:1].expand(3, -1, -1, -1)
    assert discriminator(same, torch.arange(3)).logits.unique().numel() == 3
    expected = discriminator.last(scores.features[0]) * discriminator.embedding.weight.t()[labels]
    torch.testing.assert_close(scores.logits, expected.sum(1) / 8**0.5)


def test_skips_add_an_image_of_every_stage():
    generator = R3GANGenerator(
        (2, 16, 16), latent_size=5, expansion=0.5, skips=True, widths=[8, 8, 4], groups=[1, 1, 1]
    )
    images = generator(torch.randn(3, 5))
    for layer in (*generator.earlier_images[1:], generator.to_image):
        torch.nn.init.zeros_(layer.weight)
    torch.manual_seed(1)
    latents = torch.randn(3, 5)
    first = generator.earlier_images[0](
        generator.stages[0](generator.entry(latents)[..., None, None] * generator.basis)
    )
    torch.testing.assert_close(generator(latents), generator.resampler.up(generator.resampler.up(first)))
    assert images.shape == (3, 2, 16, 16)


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_stripped_networks_learn_and_keep_the_variance(size):
    widths = [32, 32, 16]
    generator = StrippedGenerator((2, *size), widths, classes=3, latent_size=5)
    discriminator = StrippedDiscriminator((2, *size), widths, classes=3)
    labels = torch.tensor([0, 2, 1])
    images = generator(torch.randn(3, 5), labels)
    assert images.shape == (3, 2, *size)
    scores = discriminator(images, labels)
    assert scores.logits.shape == (3,)
    scores.logits.square().sum().backward()
    for network in (generator, discriminator):
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
    block, features = discriminator.blocks[1], torch.randn(8, 32, *size)
    inside, shortcut = block.second(block.resampler.before_strided(block.first(features))), block.shortcut
    expected = (inside + shortcut(block.resampler.down(features))) * 0.5**0.5
    torch.testing.assert_close(block(features), expected)


@pytest.mark.parametrize(
    ("shape", "widths", "sentence"),
    [
        ((2,), [4], "is for images"),
        ((3, 64, 64), [4, 4], "64 x 64 pixels do not become 8 or fewer"),
        ((3, 9, 8), [4, 4], "9 x 8 pixels do not become"),
        ((3, 8, 8), [], "'widths' has 0 stages"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(shape, widths, sentence):
    with pytest.raises(UserError, match=sentence):
        start_size(shape, widths)


@pytest.mark.parametrize(
    ("widths", "groups", "expansion", "sentence"),
    [
        ([4, 4], [1], 2.0, "'widths' has 2 entries and 'groups' 1"),
        ([4, 4], [1, 3], 2.0, "8 channels inside of a block of width 4 are no 3 groups"),
        ([4, 4], [1, 2], 0.25, "1 channels inside of a block of width 4 are no 2 groups"),
    ],
)
def test_groups_that_do_not_fit_are_refused(widths, groups, expansion, sentence):
    with pytest.raises(UserError, match=sentence):
        check_groups(widths, groups, expansion)
