"""The published networks, counted by hand from the papers' tables, and what is added where."""

from __future__ import annotations

import pytest
import torch
from ganlab_bigan.alexnet import AlexNetEncoder
from ganlab_bigan.convolutions import ALIEncoder, ALIGenerator
from ganlab_bigan.pairs import ALIDiscriminator, BiGANDiscriminator
from ganlab_bigan.perceptrons import BiGANPerceptronDiscriminator, BiGANPerceptronEncoder, BiGANPerceptronGenerator

from ganlab import UserError
from ganlab.testing import parameter_count

RGB = (3, 32, 32)
ENCODER = (
    25 * 3 * 32
    + 16 * (32 * 64 + 64 * 128 + 128 * 256 + 256 * 512)
    + 512 * 512  # convolutions without biases
    + 2 * (32 + 64 + 128 + 256 + 512 + 512)  # gains and biases of batch norm
    + 513 * 128  # means and logarithms of deviations
)
GENERATOR = (
    16 * (64 * 256 + 256 * 128 + 128 * 64 + 64 * 32)
    + 25 * 32 * 32
    + 32 * 32
    + 32 * 3
    + 2 * (256 + 128 + 64 + 32 + 32 + 32)
    + 3 * 32 * 32  # a bias for each pixel
)
JUDGE = (
    25 * 3 * 64
    + 64
    + 16 * (32 * 128 + 64 * 256 + 128 * 512 + 256 * 1024)  # two pieces of each unit
    + 64 * 1024
    + 512 * 1024  # latents
    + 1025 * 2048
    + 1025 * 2048
    + 1025
)


def on_meta(kind, *arguments, **options):
    with torch.device("meta"):
        return kind(*arguments, **options)


@pytest.mark.parametrize(
    ("kind", "shape", "expected"),
    [
        (ALIEncoder, RGB, ENCODER),
        (ALIGenerator, RGB, GENERATOR),
        (ALIDiscriminator, RGB, JUDGE),
        (BiGANPerceptronEncoder, (1, 28, 28), 784 * 1024 + 1024 * 1024 + 1024 * 50),
        (BiGANPerceptronGenerator, (1, 28, 28), 50 * 1024 + 1024 * 1024 + 1024 * 784),
        (BiGANPerceptronDiscriminator, (1, 28, 28), 784 * 1024 + 1024 * 1024 + 50 * 1024 + 1024),
        (
            AlexNetEncoder,
            (3, 64, 64),
            121 * 3 * 96 + 96 + 25 * 48 * 256 + 9 * (256 * 384 + 192 * 384 + 192 * 256)
            + 2 * (256 + 384 + 384 + 256) + 256 * 16 * 200,
        ),
        (
            BiGANDiscriminator,
            (3, 64, 64),
            25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 64 + 200 * (128 + 256 + 512) + 2 * (128 + 256 + 512)
            + 512 * 16,
        ),
    ],
)  # fmt: skip
def test_parameters_of_the_defaults(kind, shape, expected):
    assert parameter_count(on_meta(kind, shape)) == expected


def test_shapes_and_the_first_weights():
    torch.manual_seed(0)
    encoder, generator = ALIEncoder(RGB), ALIGenerator(RGB)
    assert encoder(torch.zeros(2, 3, 32, 32)).shape == (2, 128)
    assert generator(torch.zeros(2, 64)).shape == (2, 3, 32, 32)
    assert encoder.layers[3].weight.detach().std() == pytest.approx(0.01, rel=0.02)
    assert ALIEncoder(RGB, stochastic=False).layers[-1].out_features == 64
    assert AlexNetEncoder((3, 64, 64), widths=(4, 4, 4, 4, 4))(torch.zeros(2, 3, 64, 64)).shape == (2, 200)


def test_latents_are_added_to_each_layer_but_the_first():
    """With all weights of the images' path at 0 but the first layer's, latents alone decide."""
    judge = BiGANDiscriminator((1, 8, 8), 3, [4, 4, 4]).eval()
    images, latents = torch.randn(2, 1, 8, 8), torch.randn(2, 3)
    maps = judge.activation(judge.first(images))
    for layer in range(2):
        told = latents @ judge.of_latents[layer].weight.T
        maps = judge.convolutions[layer](maps) + told.view(2, 4, 1, 1).expand(
            -1, -1, 4 >> (layer + 1), 4 >> (layer + 1)
        )
        maps = judge.activation(judge.normalizations[layer](maps))
    torch.testing.assert_close(judge(images, latents).logits, (maps.flatten(1) @ judge.last.weight.T).flatten())
    mlp = BiGANPerceptronDiscriminator((1, 8, 8), 3, 4).eval()
    hidden = mlp.of_images(images) + latents @ mlp.of_latents.weight.T
    torch.testing.assert_close(mlp(images, latents).logits, mlp.last(mlp.of_both(hidden)).flatten())


def test_both_networks_meet_in_alis_discriminator():
    judge = ALIDiscriminator((1, 8, 8), 3, [[4, 2, 4], [3, 1, 6]], [5], [7]).eval()
    images, latents = torch.randn(2, 1, 8, 8), torch.randn(2, 3)
    scores = judge(images, latents)
    assert not torch.equal(scores.logits, judge(images, -latents).logits)
    assert not torch.equal(scores.logits, judge(-images, latents).logits)
    torch.testing.assert_close(judge.last(scores.features[-1]).flatten(), scores.logits)
    linear = judge.of_latents[1]
    pieces = (latents @ linear.weight.T).view(2, 5, 2)  # two linear units of each maxout unit
    torch.testing.assert_close(judge.of_latents(latents), pieces.amax(2))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ALIEncoder((3, 16, 16)), "make maps of 0x0 of 16x16 pixels and have to end in a single place"),
        (lambda: ALIEncoder((2,)), "take images, not examples of the shape 2; for these take 'bigan_mlp'"),
        (lambda: ALIGenerator((2,)), "take images, not examples of the shape 2"),
        (lambda: ALIGenerator((3, 64, 64)), "make images of 32x32 pixels, and those of the data have 64x64"),
        (lambda: AlexNetEncoder((3, 64, 64), widths=(3, 4, 4, 4, 4)), "need even numbers"),
        (lambda: AlexNetEncoder((2,)), "AlexNet takes images"),
        (lambda: BiGANDiscriminator((1, 8, 8), widths=[]), "a convolution for each of its 'widths', 0"),
    ],
)
def test_what_does_not_fit_is_told(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()
