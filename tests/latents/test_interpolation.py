"""Ways between points, against their formulas."""

import math

import pytest
import torch

from ganlab.errors import UserError
from ganlab.latents import Space, great_circle, interpolate
from tests.latents.toys import plain, styled


def test_great_circles_are_those_of_the_formula():
    generator = torch.Generator().manual_seed(0)
    for _ in range(5):
        x, y = torch.randn(2, 7, generator=generator, dtype=torch.float64)
        angle = math.acos(float(x @ y / (x.norm() * y.norm())))
        for share in (0.0, 0.3, 1.0):
            wanted = (math.sin((1 - share) * angle) * x + math.sin(share * angle) * y) / math.sin(angle)
            torch.testing.assert_close(great_circle(x, y, share), wanted, atol=1e-12, rtol=0)


def test_a_great_circle_keeps_the_length_and_turns_evenly():
    x, y = torch.eye(3, dtype=torch.float64)[:2] * 2
    points = [great_circle(x, y, share / 4) for share in range(5)]
    assert all(abs(float(point.norm()) - 2) < 1e-12 for point in points)
    turns = [math.acos(float(a @ b) / 4) for a, b in zip(points, points[1:], strict=False)]
    assert max(turns) - min(turns) < 1e-7
    torch.testing.assert_close(great_circle(x, x, 0.5), x)
    torch.testing.assert_close(great_circle(x, 2 * x, 0.5), 1.5 * x)


def test_a_strip_starts_and_ends_at_its_points():
    generator = plain()
    strip = interpolate(generator, ["1,2,5"], steps=4)
    assert strip.images.shape == (1, 9, 1, 8, 8)
    assert strip.titles == ["1", "", "", "", "2", "", "", "", "5"]
    for place, seed in ((0, 1), (4, 2), (8, 5)):
        torch.testing.assert_close(strip.images[0, place], generator.sample(1, seed=seed)[0])
    line = interpolate(generator, ["1,2"], steps=2, path="line")
    latents = [generator.draw(1, seed) for seed in (1, 2)]
    middle = Space(generator).of(latents[0])
    middle = type(middle)((latents[0].values + latents[1].values) / 2)
    torch.testing.assert_close(line.images[0, 1], Space(generator).images(middle)[0])


def test_a_way_through_styles_is_straight():
    generator = styled()
    space = Space(generator)
    styles = space.at("1,2").values
    strip = interpolate(generator, ["1,2"], steps=4)
    wanted = space.images(type(space.at("1"))(torch.lerp(styles[:1], styles[1:], 0.25)))
    torch.testing.assert_close(strip.images[0, 1], wanted[0])


def test_a_loop_returns_and_rows_stand_below_each_other():
    strip = interpolate(plain(), ["1,2", "3,4"], steps=3, loop=True)
    assert strip.images.shape[:2] == (2, 6)
    assert strip.names == ["1 - 2", "3 - 4"]
    assert torch.equal(strip.images, interpolate(plain(), ["1,2", "3,4"], steps=3, loop=True).images)


def test_between_classes_are_shares_of_both():
    generator = plain(classes=3)
    strip = interpolate(generator, ["1:a,1:c"], steps=2)
    latents = generator.draw(1, 1, label="a")
    ends = [generator.render(generator.draw(1, 1, label=name))[0] for name in "ac"]
    torch.testing.assert_close(strip.images[0, 0], ends[0])
    torch.testing.assert_close(strip.images[0, 2], ends[1])
    latents.labels = torch.tensor([[0.5, 0.0, 0.5]])
    torch.testing.assert_close(strip.images[0, 1], generator.render(latents)[0])
    generator.module.generator.blends_labels = False
    with pytest.raises(UserError, match="of one class or another and of none between"):
        interpolate(generator, ["1:a,1:c"])
    assert interpolate(generator, ["1:a,2:a"], steps=1).images.shape[1] == 2


def test_ways_that_lead_nowhere_are_told():
    with pytest.raises(UserError, match=r"list with a row.*\['1,5'\], not '1,5'"):
        interpolate(plain(), "1,5")
    with pytest.raises(UserError, match="two points at least"):
        interpolate(plain(), ["1"])
    with pytest.raises(UserError, match="equally many points"):
        interpolate(plain(), ["1,2", "1,2,3"])
