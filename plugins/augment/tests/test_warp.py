import math

import pytest
import torch
from ganlab_augment.banded import Blocks
from ganlab_augment.bilinear import sample, spread
from ganlab_augment.geometry import inverse_transform, warp
from ganlab_augment.operations import GROUPS, Draws
from ganlab_augment.reflection import folded
from ganlab_augment.wavelets import SYMLET_6, centre
from torch.nn.functional import grid_sample

from ganlab.randomness import Randomness

SIZES = [(8, 8), (16, 11), (5, 7), (4, 4), (1, 6), (1, 1)]

pytestmark = pytest.mark.usefixtures("seeded")


def matrix(a=1.0, b=0.0, x=0.0, c=0.0, d=1.0, y=0.0, count=2):
    return torch.tensor([[a, b, x], [c, d, y]], dtype=torch.float64).expand(count, 2, 3)


def noise(*shape):
    return torch.randn(shape, dtype=torch.float64)


def test_folding():
    assert folded(torch.arange(-4, 10), 4).tolist() == [2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1, 2, 3]
    assert folded(torch.tensor([-0.5, 3.25]), 4).tolist() == [0.5, 2.75]
    assert folded(torch.arange(-2, 3), 1).tolist() == [0] * 5


def test_spreading_is_the_adjoint_of_sampling():
    images, values = noise(2, 3, 6, 5), noise(2, 3, 4, 7)
    grid = torch.rand(2, 4, 7, 2, dtype=torch.float64) * 2.4 - 1.2
    torch.testing.assert_close((sample(images, grid) * values).sum(), (images * spread(values, grid, 6, 5)).sum())


def test_blocks_multiply_like_the_whole_matrix():
    matrix = torch.triu(torch.tril(noise(170, 90), 4), -90)
    images = noise(2, 3, 90, 11)
    torch.testing.assert_close(Blocks(matrix) @ images, matrix @ images)


# ---------------------------------------------------------------- the published pipeline, step by step


def plainly(images, inverse):
    """Reflect, double, sample, halve, one image after the other, with whole matrices in float64."""
    taps, middle = torch.tensor(SYMLET_6, dtype=torch.float64), centre(SYMLET_6)
    height, width = images.shape[2:]
    margin, count = 8, len(taps)

    def halving(size):
        matrix = torch.zeros(size, 2 * size + count - 2, dtype=torch.float64)
        for row in range(size):
            matrix[row, 2 * row : 2 * row + count] = taps / math.sqrt(2)
        return matrix

    def reflected(size):
        places = [abs((p + (size - 1)) % max(2 * (size - 1), 1) - (size - 1)) for p in range(-margin, size + margin)]
        return torch.tensor([0 if size == 1 else p for p in places])

    fine = images[:, :, reflected(height)][..., reflected(width)]
    fine = 4 * halving(height + 2 * margin).T @ fine @ halving(width + 2 * margin)
    made = []
    for image, matrix in zip(fine, inverse, strict=True):
        rows, columns = (
            (torch.arange(2 * size + count - 2).double() - middle) / 2 - (size - 1) / 2 for size in (height, width)
        )
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        moved = torch.stack([x, y, torch.ones_like(x)], -1).double() @ matrix.T
        grid = []
        for axis, size in ((0, width), (1, height)):
            place = moved[..., axis] + (size - 1) / 2
            outside = (place < -3) | (place > size + 2)
            inside = (place.remainder(2 * (size - 1)) - (size - 1)).abs() if size > 1 else 0 * place
            place = torch.where(outside, size - 1 - inside, place)
            grid.append((2 * (place + margin) + middle) * 2 / (2 * (size + 2 * margin) + count - 3) - 1)
        samples = grid_sample(image[None], torch.stack(grid, -1)[None], align_corners=True)[0]
        made.append(halving(height) @ samples @ halving(width).T)
    return torch.stack(made)


def drawn(count, p, shape=(2, 12, 12), *, groups=("blit", "geometry"), dtype=torch.float64):
    images = torch.randn(count, *shape, dtype=dtype)
    shares = {operation: 1.0 for group in groups for operation in GROUPS[group]}
    draws = Draws(Randomness("warp", count=count), images, torch.tensor(p), shares, {})
    return images, inverse_transform(draws)[:, :2]


@pytest.mark.parametrize("shape", [(2, 12, 12), (1, 9, 14), (3, 1, 6)])
@pytest.mark.parametrize("p", [0.05, 0.3, 1.0])
def test_every_way_to_warp_equals_the_published_pipeline(shape, p):
    images, inverse = drawn(24, p, shape)
    torch.testing.assert_close(warp(images, inverse), plainly(images, inverse), rtol=0, atol=1e-9)
    blits, inverse = drawn(24, 0.9, shape, groups=("blit",))
    torch.testing.assert_close(warp(blits, inverse), plainly(blits, inverse), rtol=0, atol=1e-9)


def test_float32_is_near_to_float64():
    images, inverse = drawn(24, 0.6, (3, 32, 32))
    made = warp(images.float(), inverse.float())
    torch.testing.assert_close(made.double(), plainly(images, inverse), rtol=0, atol=1e-3)


def test_images_that_stay_cost_nothing():
    images, inverse = drawn(40, 0.05)
    still = (inverse == torch.eye(2, 3)).all(-1).all(-1)
    assert 0 < still.sum() < 40
    assert torch.equal(warp(images, inverse)[still], images[still])
    only = images[still]
    assert warp(only, inverse[still]) is only


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
    inverse = torch.cat(
        [
            matrix(0.9, 0.3, 0.4, -0.2, 1.1, -0.6, count=1),
            matrix(0.9, 0, 0.4, 0, 1.1, -0.6, count=1),
            matrix(0, -1.2, 0.4, 0.9, 0, -0.6, count=1),
            matrix(count=1),
        ]
    )
    images = noise(4, 1, 3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: warp(x, inverse), (images,))
    assert torch.autograd.gradgradcheck(lambda x: warp(x, inverse).square(), (images,))
