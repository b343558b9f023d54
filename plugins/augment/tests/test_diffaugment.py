import pytest
import torch
from ganlab_augment.diffaugment import DiffAugment

from ganlab.randomness import Randomness

COUNT = 1500


def augmented(images, *policy):
    return DiffAugment(images.shape[1], policy)(images, Randomness("diffaugment", count=len(images)))


def test_colour_against_its_definition():
    images, random = torch.rand(COUNT, 3, 4, 5, dtype=torch.float64), Randomness("diffaugment", count=COUNT)
    brightness, saturation, contrast = random.uniform("colour", 3, 1, 1, 1).double().unbind(1)
    x = images + brightness - 0.5
    grey = x.mean(1, keepdim=True)
    x = (x - grey) * (saturation * 2) + grey
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (contrast + 0.5) + mean
    torch.testing.assert_close(augmented(images, "colour"), x)


def test_grey_images_have_no_saturation():
    images = torch.rand(COUNT, 1, 4, 5, dtype=torch.float64)
    changed = augmented(images, "colour")
    contrast = changed.flatten(1).std(1) / images.flatten(1).std(1)
    assert 0.5 <= contrast.min() < contrast.max() <= 1.5
    brightness = (changed - images).mean((1, 2, 3))
    assert brightness.abs().max() <= 0.5
    assert brightness.std().item() == pytest.approx(12**-0.5, rel=0.05)


def test_translation_moves_by_up_to_an_eighth_and_fills_with_zero():
    images = torch.arange(1.0, 17 * 24 + 1).view(1, 1, 17, 24).repeat(COUNT, 2, 1, 1)
    moved = augmented(images, "translation")
    seen = set()
    for image in moved[:300, 0]:
        row, column = (image == images[0, 0, 8, 12]).nonzero()[0].tolist()
        down, right = row - 8, column - 12
        seen.add((down, right))
        expected = torch.zeros(17 + 8, 24 + 8)
        expected[4 + down : 4 + down + 17, 4 + right : 4 + right + 24] = images[0, 0]
        assert torch.equal(image, expected[4:-4, 4:-4])
    assert {down for down, _ in seen} == set(range(-2, 3))
    assert {right for _, right in seen} == set(range(-3, 4))
    assert torch.equal(moved[:, 0], moved[:, 1])


@pytest.mark.parametrize("size", [(8, 12), (7, 5)])
def test_cutout_is_half_of_each_side_around_any_pixel(size):
    images = torch.ones(COUNT, 3, *size)
    cut = augmented(images, "cutout")[:, 0] == 0
    rows, columns = cut.any(2), cut.any(1)
    assert torch.equal(cut, rows[:, :, None] & columns[:, None, :])
    for axis, lines in ((0, rows), (1, columns)):
        side = (size[axis] + 1) // 2
        lengths = lines.sum(1)
        assert lengths.max() == side
        assert lengths.min() == (side + 1) // 2
        assert lines.double().mean(0).min() > 0.2


def test_the_policy_is_applied_in_order():
    images = torch.rand(8, 3, 8, 8)
    both, other = augmented(images, "colour", "cutout"), augmented(images, "cutout", "colour")
    assert (both == 0).any()
    assert not torch.equal(both, other)
    assert torch.equal(augmented(images), images)
