"""Single operations against their definitions."""

import math

import pytest
import torch
from ganlab_augment.colour import apply_colour, colour_map
from ganlab_augment.corruption import apply_corruption, kept
from ganlab_augment.geometry import inverse_transform
from ganlab_augment.image_filter import apply_filter, octave_gains
from ganlab_augment.operations import GROUPS, STRENGTHS, Draws
from ganlab_augment.wavelets import SYMLET_2, octave_bank
from torch.nn.functional import conv2d

from ganlab.randomness import Randomness

COUNT = 2000


def draws(*operations, p=1.0, shape=(3, 8, 16), count=COUNT, strengths=None):
    images = torch.zeros(count, *shape, dtype=torch.float64)
    random = Randomness("operations", count=count)
    return Draws(random, images, torch.tensor(p), dict.fromkeys(operations, 1.0), strengths or {})


def test_every_operation_is_in_a_group_and_has_the_published_strength():
    assert sum(map(len, GROUPS.values())) == 15
    every = {name for group in GROUPS.values() for name in group}
    assert set(STRENGTHS) == every - {"mirror", "quarter_turn", "luma_flip"}


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0, 1.7])
def test_an_operation_happens_with_its_probability(p):
    some = draws("scale", p=p)
    happened = (some.sometimes("scale", torch.ones(COUNT, 1), 0.0) == 1).double().mean().item()
    assert happened == pytest.approx(min(p, 1), abs=0.04)


def test_rotation_has_two_chances_that_together_have_the_probability():
    transform = inverse_transform(draws("rotate", p=0.6))
    turned = (transform[:, 0, 1].abs() > 1e-9).double().mean().item()
    assert turned == pytest.approx(0.6, abs=0.04)


def test_a_share_scales_the_probability():
    images = torch.zeros(COUNT, 3, 8, 8)
    some = Draws(Randomness(0, count=COUNT), images, torch.tensor(0.8), {"scale": 0.5}, {})
    assert some.sometimes("scale", torch.ones(COUNT, 1), 0.0).mean().item() == pytest.approx(0.4, abs=0.04)


def test_mirror_quarter_turn_and_shift():
    mirror = inverse_transform(draws("mirror"))
    assert set(mirror[:, 0, 0].tolist()) == {-1.0, 1.0}
    assert (mirror[:, 0, 0] == -1).double().mean().item() == pytest.approx(0.5, abs=0.04)
    turns = inverse_transform(draws("quarter_turn"))[:, :2, :2]
    torch.testing.assert_close(turns, turns.round(), atol=1e-6, rtol=0)
    torch.testing.assert_close(torch.linalg.det(turns), torch.ones(COUNT, dtype=torch.float64), atol=1e-6, rtol=0)
    assert len({tuple(turn.flatten().round().tolist()) for turn in turns}) == 4
    shift = inverse_transform(draws("shift", shape=(1, 16, 64)))[:, :2, 2]
    assert torch.equal(shift, shift.round())
    assert shift.abs().amax(0).tolist() == [8, 2]


def test_scale_stretch_and_translate():
    scale = inverse_transform(draws("scale"))
    torch.testing.assert_close(scale[:, 0, 0], scale[:, 1, 1])
    assert scale[:, 0, 0].log2().std().item() == pytest.approx(0.2, rel=0.05)
    stretch = inverse_transform(draws("stretch", strengths={"stretch": 0.4}))
    torch.testing.assert_close(stretch[:, 0, 0] * stretch[:, 1, 1], torch.ones(COUNT, dtype=torch.float64))
    assert stretch[:, 0, 0].log2().std().item() == pytest.approx(0.4, rel=0.05)
    moved = inverse_transform(draws("translate"))[:, :2, 2]
    assert moved.std(0).tolist() == pytest.approx([2.0, 1.0], rel=0.06)


def test_whole_shifts_come_before_scaling_and_fractional_ones_after():
    shifted = inverse_transform(draws("shift", "scale"))[:, :2, 2]
    assert torch.equal(shifted, shifted.round())
    moved = torch.linalg.inv(inverse_transform(draws("scale", "translate", strengths={"scale": 2.0})))[:, :2, 2]
    assert moved.std(0).tolist() == pytest.approx([2.0, 1.0], rel=0.06)


def apply(matrix, offset, colour):
    return matrix @ torch.tensor(colour, dtype=torch.float64) + offset


def test_brightness_and_contrast():
    matrix, offset = colour_map(draws("brightness"))
    assert torch.equal(matrix, torch.eye(3, dtype=torch.float64).expand(COUNT, 3, 3))
    assert torch.equal(offset[:, 0], offset[:, 2])
    assert offset[:, 0].std().item() == pytest.approx(0.2, rel=0.05)
    matrix, offset = colour_map(draws("brightness", "contrast"))
    factor = matrix[:, 0, 0]
    assert factor.log2().std().item() == pytest.approx(0.5, rel=0.05)
    torch.testing.assert_close(matrix, factor[:, None, None] * torch.eye(3, dtype=torch.float64))
    assert (offset[:, 0] / factor).std().item() == pytest.approx(0.2, rel=0.05)  # contrast comes after brightness


def test_luma_flip_mirrors_greys_and_keeps_colours():
    matrix, offset = colour_map(draws("luma_flip"))
    grey, colour = apply(matrix, offset, [0.5, 0.5, 0.5]), apply(matrix, offset, [0.4, -0.4, 0.0])
    assert sorted(set(grey[:, 0].round(decimals=6).tolist())) == [-0.5, 0.5]
    torch.testing.assert_close(colour, torch.tensor([0.4, -0.4, 0.0], dtype=torch.float64).expand(COUNT, 3))


def test_hue_turns_around_greys():
    matrix, offset = colour_map(draws("hue"))
    identity = torch.eye(3, dtype=torch.float64).expand(COUNT, 3, 3)
    torch.testing.assert_close(matrix @ matrix.transpose(1, 2), identity)
    torch.testing.assert_close(torch.linalg.det(matrix), torch.ones(COUNT, dtype=torch.float64))
    torch.testing.assert_close(apply(matrix, offset, [0.3] * 3), torch.full((COUNT, 3), 0.3, dtype=torch.float64))
    angle = ((matrix.diagonal(dim1=1, dim2=2).sum(1) - 1) / 2).clamp(-1, 1).acos()
    assert angle.mean().item() == pytest.approx(math.pi / 2, rel=0.05)


def test_saturation_scales_around_greys():
    matrix, _ = colour_map(draws("saturation"))
    values = torch.linalg.eigvalsh(matrix)
    factor = matrix[:, 0, 0] - matrix[:, 0, 1]
    torch.testing.assert_close(values.prod(1), factor**2)
    torch.testing.assert_close(matrix.sum(2), torch.ones(COUNT, 3, dtype=torch.float64))
    assert factor.log2().std().item() == pytest.approx(1.0, rel=0.05)


def test_colours_are_mapped_pixel_by_pixel():
    some, again = (draws(*GROUPS["colour"], count=4) for _ in range(2))
    images = torch.rand(4, 3, 8, 16, dtype=torch.float64)
    mapped, (matrix, offset) = apply_colour(images, some), colour_map(again)
    torch.testing.assert_close(mapped[2, :, 3, 5], matrix[2] @ images[2, :, 3, 5] + offset[2])


def test_octave_gains_keep_the_power_of_a_natural_image():
    gains = octave_gains(draws("filter"))
    assert gains.shape == (COUNT, 4)
    one_octave = octave_gains(draws("filter", p=0.1))
    power = torch.tensor([10.0, 1, 1, 1], dtype=torch.float64) / 13
    torch.testing.assert_close((power * gains**2).sum(1).sqrt().log().mean().exp().item(), 1.0, rtol=0.2, atol=0)
    touched = (one_octave - 1).abs().amax(1) > 1e-9
    assert touched.double().mean().item() == pytest.approx(1 - 0.9**4, abs=0.04)
    single = one_octave[touched & ((one_octave.max(1).values - one_octave.median(1).values) > 0.5)]
    ratios = (power * single**2).sum(1)
    assert (ratios - 1).abs().median() < 1e-6  # mostly only one octave was drawn, which keeps the power exactly


def test_a_filtered_impulse_is_the_product_of_two_filters():
    gains, images = octave_gains(draws("filter", count=2)), torch.zeros(2, 1, 47, 45, dtype=torch.float64)
    images[:, 0, 23, 22] = 1
    filtered = apply_filter(images, draws("filter", count=2))
    taps = gains @ octave_bank(SYMLET_2, 4)
    for index in range(2):
        kernel = taps[index][:, None] * taps[index]
        expected = conv2d(images[index], kernel[None, None], padding=21)
        torch.testing.assert_close(filtered[index], expected)


def test_noise_has_half_normal_deviations():
    noisy = apply_corruption(torch.zeros(COUNT, 1, 16, 16, dtype=torch.float64), draws("noise", shape=(1, 16, 16)))
    deviation = noisy.flatten(1).std(1)
    assert deviation.mean().item() == pytest.approx(0.1 * math.sqrt(2 / math.pi), rel=0.05)
    assert deviation.square().mean().sqrt().item() == pytest.approx(0.1, rel=0.05)


def test_cutout_is_a_rectangle_of_half_the_sides():
    mask = kept(torch.zeros(1, 3, 8, 16), torch.tensor([[0.5, 0.5]]), torch.tensor([[0.5]]))[0, 0]
    expected = torch.ones(8, 16)
    expected[2:6, 4:12] = 0
    assert torch.equal(mask, expected)
    images = torch.ones(COUNT, 3, 8, 16, dtype=torch.float64)
    cut = apply_corruption(images, draws("cutout", p=0.5))
    area = 1 - cut[:, 0].flatten(1).mean(1)
    assert (area > 0).double().mean().item() == pytest.approx(0.5, abs=0.04)
    assert area.max().item() == pytest.approx(0.25, abs=0.05)
    assert torch.equal(cut[:, 0], cut[:, 2])
