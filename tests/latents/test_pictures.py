"""Grids of mixed styles, truncation, noise and sums, against the same points made by hand."""

import pytest
import torch

from ganlab.errors import UserError
from ganlab.latents import Points, Space, arithmetic, compare_noise, compare_values, mix
from ganlab.latents.arithmetic import terms_of
from ganlab.latents.mixing import layers_of
from ganlab.latents.noise import deviation
from tests.latents.toys import plain, styled


@pytest.mark.parametrize(
    ("layers", "groups"),
    [
        (18, (range(4), range(4, 8), range(8, 18))),
        (10, (range(4), range(4, 8), range(8, 10))),
        (6, (range(2), range(2, 4), range(4, 6))),
        (8, (range(2), range(2, 6), range(6, 8))),
    ],
)
def test_groups_of_layers(layers, groups):
    for name, wanted in zip(("coarse", "middle", "fine"), groups, strict=True):
        assert layers_of(name, layers) == list(wanted)
    assert layers_of("0-1,5", layers) == [0, 1, 5]


@pytest.mark.parametrize(
    ("text", "sentence"), [("corse", "names no layers.*'coarse'"), ("4-6", "the generator has the layers 0 to 5")]
)
def test_layers_that_there_are_not_are_told(text, sentence):
    with pytest.raises(UserError, match=sentence):
        layers_of(text, 6)


def test_groups_without_layers_are_told():
    with pytest.raises(UserError, match="there are no coarse layers: the generator has 2 in all"):
        layers_of("coarse", 2)


def test_mixing_takes_the_layers_of_the_columns():
    generator = styled()
    grid = mix(generator, "1,2", "3,4,5", "2-3")
    assert grid.images.shape == (3, 4, 1, 8, 8)
    assert (grid.names, grid.titles) == (["", "1", "2"], ["2-3", "3", "4", "5"])
    space = Space(generator)
    row, column = space.at("2"), space.at("4")
    torch.testing.assert_close(grid.images[2, 0], space.images(row)[0])
    torch.testing.assert_close(grid.images[0, 2], space.images(column)[0])
    styles = row.values.clone()
    styles[:, 2:4] = column.values[:, 2:4]
    torch.testing.assert_close(grid.images[2, 2], space.images(Points(styles))[0])
    with pytest.raises(UserError, match="the space w needs styles"):
        mix(plain(), "1", "2", "coarse")


def test_truncation_shows_the_samples_at_each_value():
    generator = styled()
    strip = compare_values(generator, "1,2", [0, 0.5, 1], options={"noise": "none"})
    assert strip.images.shape == (2, 3, 1, 8, 8)
    assert strip.titles == ["psi 0", "psi 0.5", "psi 1"]
    torch.testing.assert_close(strip.images[0, 0], strip.images[1, 0])
    torch.testing.assert_close(strip.images[1, 1], generator.sample(1, seed=2, psi=0.5, noise="none")[0])
    words = compare_values(generator, "1", ["all", "none"], option="noise")
    assert not torch.equal(words.images[0, 0], words.images[0, 1])
    with pytest.raises(UserError, match="TwoPlayerGAN has no truncation; its sampling options: none"):
        compare_values(plain(), "1", [1])
    with pytest.raises(UserError, match="no sampling option 'phi'"):
        compare_values(generator, "1", [1], option="phi")


def test_noise_has_the_deviation_that_the_network_adds():
    generator = styled()
    strip = compare_noise(generator, "1,2", draws=16)
    assert strip.titles == ["all", "none", "deviation"]
    torch.testing.assert_close(strip.images[1, 1], generator.sample(1, seed=2, noise="none")[0])
    assert float(strip.images[:, 2].amax()) == 1
    points = Space(generator, "z").at("1,2")
    measured = deviation(generator, points, 200, 0, {"noise": "all"})
    assert measured.shape == (2, 1, 8, 8)
    assert float((measured.mean() - 0.1).abs()) < 0.005
    images = torch.stack([Space(generator, "z", {}, seed).images(points) for seed in range(5)])
    torch.testing.assert_close(deviation(generator, points, 5, 0, {}), images.std(0))
    with pytest.raises(UserError, match="no sampling option 'noise'"):
        compare_noise(plain(), "1")


def test_sums_of_styles_are_sums():
    generator = styled()
    result = arithmetic(generator, "1,2 - 3-4 + 5")
    space = Space(generator)
    one, two, three, four, five = space.at("1-5").values
    wanted = (one + two) / 2 - (three + four) / 2 + five
    torch.testing.assert_close(result.points.values[0], wanted)
    assert result.strip.titles == ["1,2", "- 3,4", "+ 5", "="]
    assert result.strip.images.shape == (3, 4, 1, 8, 8)
    torch.testing.assert_close(result.strip.images[2, 0], space.images(Points((one + two)[None] / 2))[0])
    torch.testing.assert_close(result.strip.images[2, 2], space.images(Points(five[None]))[0])


def test_sums_of_latents_are_as_long_as_latents_and_have_the_classes_that_are_left():
    result = arithmetic(plain(classes=3), "1:a - 2:a + 3:b")
    first = Space(plain(classes=3)).at("1:a").values
    torch.testing.assert_close(result.points.values.norm(), first.norm())
    assert result.points.labels.tolist() == [[0.0, 1.0, 0.0]]
    assert arithmetic(plain(classes=3), "1 + 2", label="b").points.labels.tolist() == [1]


@pytest.mark.parametrize("text", ["1", "1-2", "", "1 -", "+ 1"])
def test_what_is_no_sum_is_told(text):
    with pytest.raises(UserError, match="is no sum"):
        terms_of(text)


def test_terms_have_signs_between_spaces():
    assert terms_of("1-3 - 4:a-b + w+.npz") == [(1, "1-3"), (-1, "4:a-b"), (1, "w+.npz")]
    assert terms_of("- 1 + 2") == [(-1, "1"), (1, "2")]
