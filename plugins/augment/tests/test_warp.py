import math

import pytest
import torch
from ganlab_augment.bilinear import sample
from ganlab_augment.reflection import folded, reflect
from ganlab_augment.warp import warp
from torch.nn.functional import grid_sample, pad

SIZES = [(8, 8), (16, 11), (5, 7), (4, 4), (1, 6), (1, 1)]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def matrix(a=1.0, b=0.0, x=0.0, c=0.0, d=1.0, y=0.0, count=2):
    return torch.tensor([[a, b, x], [c, d, y]], dtype=torch.float64).expand(count, 2, 3)


def noise(*shape):
    return torch.randn(shape, dtype=torch.float64)


def test_folding():
    assert folded(torch.arange(-4, 10), 4).tolist() == [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    assert folded(torch.tensor([-0.5, 3.25]), 4).tolist() == [0.5, 2.75]
    assert folded(torch.arange(-2, 3), 1).tolist() == [0] * 5


def test_reflection_equals_torch_where_torch_can():
    images = noise(2, 3, 6, 9)
    assert torch.equal(reflect(images, 5), pad(images, [5] * 4, mode="reflect"))
    assert reflect(noise(1, 1, 3, 1), 10).shape == (1, 1, 23, 21)


def test_sampling_equals_torch():
    images, places = noise(2, 3, 6, 5), torch.rand(2, 4, 7, 2, dtype=torch.float64) * 8 - 1.5
    grid = places * 2 / torch.tensor([4.0, 5.0]) - 1
    torch.testing.assert_close(sample(images, places), grid_sample(images, grid, align_corners=True))


def test_sampling_can_be_differentiated_twice():
    images, places = noise(2, 2, 4, 3).requires_grad_(), torch.rand(2, 3, 5, 2, dtype=torch.float64) * 5 - 1
    assert torch.autograd.gradcheck(lambda x: sample(x, places), (images,))
    assert torch.autograd.gradgradcheck(lambda x: sample(x, places).square(), (images,))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_identity_changes_nothing(height, width):
    images = noise(2, 3, height, width)
    torch.testing.assert_close(warp(images, matrix()), images, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("height", "width"), SIZES[:4])
def test_whole_shifts_are_exact_inside(height, width):
    images = noise(2, 3, height, width)
    moved = warp(images, matrix(x=1, y=-2))  # what is shown is 1 to the right of and 2 above the pixel
    torch.testing.assert_close(moved[..., 2:, :-1], images[..., :-2, 1:], rtol=0, atol=0.02)
    if min(height, width) > 7:
        torch.testing.assert_close(moved[..., 5:, :-4], images[..., 3:-2, 1:-3], rtol=0, atol=1e-9)


def test_smooth_images_are_turned_and_scaled_as_functions():
    # A low frequency, sampled on a rotated and scaled grid, against the function itself; away from the edges.
    def wave(x, y):
        return torch.sin(0.35 * x + 0.2 * y + 0.4)

    place = torch.arange(32, dtype=torch.float64) - 15.5
    y, x = torch.meshgrid(place, place, indexing="ij")
    angle, scale = 0.5, 1.1
    a, b = scale * math.cos(angle), -scale * math.sin(angle)
    warped = warp(wave(x, y)[None, None], matrix(a, b, 0.3, -b, a, -0.7, count=1))
    expected = wave(a * x + b * y + 0.3, -b * x + a * y - 0.7)
    inside = slice(11, 21)
    assert (warped[0, 0] - expected)[inside, inside].abs().max() < 0.01


def smooth(size):
    corners = noise(1, 1, 4, 4)
    return torch.nn.functional.interpolate(corners, size=(size, size), mode="bicubic", align_corners=True)


@pytest.mark.parametrize("size", [8, 9])
def test_quarter_turns_and_mirrors_of_smooth_images(size):
    image = smooth(size)
    mirrored, turned = warp(image, matrix(a=-1, count=1)), warp(image, matrix(0, -1, 0, 1, 0, count=1))
    scale = image.std()
    assert (mirrored - image.flip(3)).std() < 0.1 * scale
    # A pixel at (x, y), with y downwards, shows what was at (-y, x): what was on the right comes to the top.
    assert (turned - torch.rot90(image, 1, (2, 3))).std() < 0.1 * scale


def test_far_away_is_a_reflection_of_a_reflection():
    image = smooth(9)
    period = 16  # twice the distance of the first and the last pixel
    moved = warp(image, matrix(x=2 * period, count=1))
    assert (moved - image).std() < 0.1 * image.std()
    assert (warp(image, matrix(x=period / 2, count=1))[..., 0, 0] - image[..., 0, -1]).abs() < 0.1 * image.std()


def test_a_warp_can_be_differentiated_twice():
    inverse = matrix(0.9, 0.3, 0.4, -0.2, 1.1, -0.6) + 0.1 * noise(2, 2, 3)
    images = noise(2, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: warp(x, inverse), (images,))
    assert torch.autograd.gradgradcheck(lambda x: warp(x, inverse).square(), (images,))
