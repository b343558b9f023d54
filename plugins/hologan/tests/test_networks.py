"""The published networks, counted by hand from the authors' tables, and each part against another computation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_hologan.discriminator import HoloGANDiscriminator, Level
from ganlab_hologan.generator import HoloGANGenerator
from ganlab_hologan.layers import AdaptiveNorm, grow_maps, grow_volumes
from torch.nn.functional import instance_norm

from ganlab import UserError
from ganlab.testing import parameter_count


def styles(*widths):
    return sum(129 * 2 * width for width in widths)


def test_the_authors_networks_for_64_pixels():
    """But for the biases that instance normalization takes away again: the authors have them."""
    with torch.device("meta"):
        generator, discriminator = HoloGANGenerator((3, 64, 64)), HoloGANDiscriminator((3, 64, 64), latent_size=128)
        images = generator(torch.empty(2, 128), None, torch.empty(2, 3))
        assert images.shape == (2, 3, 64, 64)
        assert discriminator(images).heads["latents"].shape == (2, 128)
        assert generator.volumes(torch.empty(2, 128)).shape == (2, 64, 16, 16, 16)
    volumes = 64 * 512 + 27 * (512 * 128 + 128 * 64)
    maps = 1024 * 1024 + 1024 + 16 * (1024 * 256 + 256 * 64 + 64 * 3) + 3
    counted = volumes + maps + styles(512, 128, 64, 256, 64)
    assert parameter_count(generator) == counted == 7_797_251 - (128 + 64 + 256 + 64)
    levels = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 64 + 2 * (128 + 256 + 512)
    assert parameter_count(discriminator) == levels + 8193 + 8193 * 128 + 129 * 128 == 5_381_761 - (128 + 256 + 512)


def test_the_authors_networks_for_128_pixels():
    with torch.device("meta"):
        generator = HoloGANGenerator((3, 128, 128), 128, [512, 256, 128], [64, 64], 512, [256, 64, 32], 0.2)
        widths = [64, 128, 256, 512, 1024]
        discriminator = HoloGANDiscriminator((3, 128, 128), widths, 128, style="apart")
        assert generator(torch.empty(2, 128)).shape == (2, 3, 128, 128)
        scores = discriminator(torch.empty(2, 3, 128, 128))
        assert [scores.heads[f"style_{level}"].shape for level in range(1, 5)] == [(2, 2)] * 4
    volumes = 64 * 512 + 27 * (512 * 256 + 256 * 128 + 128 * 64 + 64 * 64) + 64 + 64
    maps = 1024 * 512 + 512 + 16 * (512 * 256 + 256 * 64 + 64 * 32 + 32 * 3) + 3
    assert parameter_count(generator) == volumes + maps + styles(512, 256, 128, 256, 64, 32)
    levels = 25 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 1024) + 64 + 3 * (128 + 256 + 512 + 1024)
    judges = 128 + 256 + 512 + 1024 + 4
    assert parameter_count(discriminator) == levels + judges + 16385 + 16385 * 128 + 129 * 128


def test_the_gain_is_used_as_it_is():
    norm = AdaptiveNorm(3, 5, 1.0, gain=0.5).double()
    assert norm.mapping.bias.tolist() == [0.5] * 3 + [0.0] * 3
    features, latents = torch.randn(2, 3, 4, 4, 4, dtype=torch.float64), torch.randn(2, 5, dtype=torch.float64)
    style = (latents @ norm.mapping.weight.T + norm.mapping.bias).clamp(min=0)[:, :, None, None, None]
    expected = style[:, :3] * instance_norm(features, eps=1e-8) + style[:, 3:]
    torch.testing.assert_close(norm(features, latents), expected)


@pytest.mark.parametrize("grow", [grow_maps, grow_volumes])
@pytest.mark.parametrize("stride", [1, 2])
def test_growing_is_the_gradient_of_a_convolution_padded_as_same(grow, stride):
    """TensorFlow's transposed convolution is the gradient of one whose odd padding is at the end."""
    layer = grow(2, 3, stride, 1.0).double()
    torch.nn.init.zeros_(layer.layer.bias)
    dimensions = layer.layer.weight.dim() - 2
    small = torch.randn(1, 2, *[4] * dimensions, dtype=torch.float64)
    large = torch.zeros(1, 3, *[4 * stride] * dimensions, dtype=torch.float64, requires_grad=True)
    total = layer.layer.kernel_size[0] - stride
    padded = torch.nn.functional.pad(large, (total // 2, total - total // 2) * dimensions)
    convolve = torch.nn.functional.conv2d if dimensions == 2 else torch.nn.functional.conv3d
    (expected,) = torch.autograd.grad(convolve(padded, layer.layer.weight, stride=stride), large, small)
    torch.testing.assert_close(layer(small), expected)


def test_the_projection_mixes_all_depths_of_a_place():
    generator = HoloGANGenerator((3, 16, 16), 4, [5, 3], [], 7, [4]).double()
    volumes = torch.randn(2, 3, 8, 8, 8, dtype=torch.float64)
    weight = generator.projection.weight.view(7, 3, 8)
    mixed = torch.einsum("ocd,ncdhw->nohw", weight, volumes) + generator.projection.bias[:, None, None]
    torch.testing.assert_close(generator.project(volumes), mixed.clamp(min=0))


def test_poses_move_what_is_seen():
    torch.manual_seed(0)
    generator = HoloGANGenerator((3, 16, 16), 4, [6, 4], [3], 8, [4], deviation=0.3)
    latents = torch.randn(1, 4).expand(3, 4)
    images = generator(latents, None, torch.tensor([[0.0, 0, 1], [90, 0, 1], [0, 30, 1]]))
    torch.testing.assert_close(images[:1], generator(latents[:1]))
    assert all((images[0] - images[other]).abs().max() > 1e-3 for other in (1, 2))


@pytest.mark.parametrize("style", ["joint", "apart"])
def test_styles_are_judged_by_mean_and_spread(style):
    torch.manual_seed(0)
    level = Level(2, 4, style, 0.5).double().eval()
    images = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    maps = level.convolution(images)
    normalized, judged = level(images)
    expected = instance_norm(maps, eps=1e-5) * level.gain[:, None, None] + level.bias[:, None, None]
    torch.testing.assert_close(normalized, torch.nn.functional.leaky_relu(expected, 0.2))
    mean, variance = (torch.from_numpy(of(maps.detach().numpy(), (2, 3))) for of in (np.mean, np.var))
    if style == "joint":
        answer = level.style(torch.cat([mean, (variance + 1e-5).sqrt()], 1))[:, 0]
    else:
        answer = torch.cat([level.style(mean), level.style(variance)], 1)
    torch.testing.assert_close(judged, answer)


def test_every_parameter_gets_a_gradient():
    torch.manual_seed(0)
    generator = HoloGANGenerator((1, 16, 16), 5, [6, 4], [3], 8, [4], deviation=0.3)
    discriminator = HoloGANDiscriminator((1, 16, 16), [3, 4], 5, 6, "joint")
    scores = discriminator(generator(torch.randn(8, 5), None, torch.tensor([[20.0, 10, 1]] * 8)))
    (scores.logits.sum() + sum(head.square().sum() for head in scores.heads.values())).backward()
    for network in (generator, discriminator):
        assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


@pytest.mark.parametrize(
    ("network", "shape", "sentence"),
    [
        (
            HoloGANGenerator,
            (3, 32, 64),
            r"makes square images \(channels, side, side\), not examples of the shape \(3, 3",
        ),
        (HoloGANGenerator, (2,), "makes square images"),
        (HoloGANGenerator, (3, 72, 72), "images have a multiple of 16 pixels, from 32 on, not 72"),
        (HoloGANGenerator, (3, 16, 16), "images have a multiple of 16 pixels, from 32 on, not 16"),
        (HoloGANDiscriminator, (3, 24, 24), "multiples of 16, not 24x24"),
        (HoloGANDiscriminator, (3, 16, 16), "4 'widths' leave one pixel of images of 16x16"),
        (HoloGANDiscriminator, (2,), "takes images"),
    ],
)
def test_other_data_are_refused(network, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        network(shape)


@pytest.mark.parametrize("changes", [{"volumes": []}, {"maps": []}])
def test_a_generator_needs_widths(changes):
    with pytest.raises(UserError, match="one width or more in 'volumes' and in 'maps'"):
        HoloGANGenerator((3, 64, 64), **changes)
