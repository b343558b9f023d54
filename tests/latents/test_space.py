"""Points of z and w: how they are named, where they lie, and what images they become."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.contracts import WithEncoder, WithStyles
from ganlab.errors import UserError
from ganlab.facts import DataFacts, InputFacts
from ganlab.games.two_player import TwoPlayerGAN
from ganlab.latents import Points, Space, interpolate, load_points, save_points
from ganlab.latents.references import read_references
from tests.latents.toys import SHAPE, PlainGenerator, plain, styled, trained

FACTS = DataFacts((1, 8, 8), 10, "x", class_names=("ant", "bee", "2-3"))


def test_references_name_seeds_classes_and_files():
    found = read_references("1,5-6:bee,2:0-1,3:*,w.npz,4:2-3", FACTS)
    seen = [(one.seed, one.label, one.file and one.file.name) for one in found]
    assert seen == [
        *[(1, None, None), (5, 1, None), (6, 1, None), (2, 0, None), (2, 1, None)],
        *[(3, 0, None), (3, 1, None), (3, 2, None), (None, None, "w.npz"), (4, 2, None)],
    ]
    assert [one.text for one in found[:3]] == ["1", "5:bee", "6:bee"]
    assert [one.label for one in read_references([3, "4:ant"], FACTS, label="bee")] == [1, 0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x", "'x' names no latents: give seeds"),
        ("1,,2", "'' names no latents"),
        ("1:be", "there is no class 'be'.*bee"),
    ],
)
def test_what_names_no_latents_is_told(text, sentence):
    with pytest.raises(UserError, match=sentence):
        read_references(text, FACTS)


def test_images_of_points_are_those_of_samples_with_one_noise():
    generator = styled()
    assert isinstance(generator.module, WithStyles)
    assert not isinstance(plain().module, WithStyles)
    space = Space(generator, noise_seed=3)
    assert space.name == "w"
    torch.testing.assert_close(space.images(space.at("3")), generator.sample(1, seed=3))
    own = generator.sample(1, seed=4)
    shown = space.images(space.at("4"))
    difference = (shown - own).std()
    assert 0.05 < difference < 0.3, "the noise of seed 3 in the place of its own"
    silent = Space(generator, "z", {"noise": "none"})
    torch.testing.assert_close(silent.images(silent.at("4")), generator.sample(1, seed=4, noise="none"))


def test_options_act_where_they_belong():
    generator = styled()
    halved, whole = Space(generator, "w", {"psi": 0.5, "noise": "none"}), Space(generator, "w")
    torch.testing.assert_close(halved.at("1").values, whole.at("1").values / 2)
    torch.testing.assert_close(halved.images(halved.at("1")), generator.sample(1, seed=1, psi=0.5, noise="none"))
    with pytest.raises(UserError, match="no sampling option 'phi'"):
        Space(generator, "w", {"phi": 1})


def test_saved_points_come_back_and_equal_ones_have_equal_bytes(tmp_path):
    generator, path = styled(), tmp_path / "w.npz"
    space = Space(generator)
    points = space.at("1,2")
    save_points(path, "w", points.values)
    first = path.read_bytes()
    save_points(path, "w", points.values.clone())
    assert path.read_bytes() == first
    assert torch.equal(load_points(path)["styles"], points.values)
    again = space.at([str(path), 2])
    assert torch.equal(again.values[:2], points.values)
    assert again.names == ["w.0", "w.1", "2"]
    with pytest.raises(UserError, match="have no place in z"):
        Space(generator, "z").at(str(path))


def test_saved_latents_are_taken_in_both_spaces(tmp_path):
    generator, path = styled(), tmp_path / "z.npz"
    latents = Space(generator, "z").at("7")
    save_points(path, "z", latents.values)
    torch.testing.assert_close(Space(generator).at(str(path)).values, Space(generator).at("7").values)


def test_files_that_do_not_belong_are_told(tmp_path):
    generator, path = styled(), tmp_path / "w.npz"
    save_points(path, "w", torch.zeros(1, 3, 5))
    with pytest.raises(UserError, match=r"of the shape \(3, 5\), those of this generator are \(6, 6\)"):
        Space(generator).at(str(path))
    np.savez(path, other=np.zeros(3))
    with pytest.raises(UserError, match="holds no points: it has other"):
        load_points(path)
    np.savez(path, styles=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="cannot be read as arrays"):
        load_points(path)
    with pytest.raises(UserError, match="cannot be read as arrays"):
        load_points(tmp_path / "none.npz")


def test_what_the_tools_cannot_show_is_told():
    with pytest.raises(
        UserError, match="the space w needs styles, and TwoPlayerGAN has none; architectures with styles"
    ):
        Space(plain(), "w")
    with pytest.raises(UserError, match="makes images from inputs"):
        Space(plain(inputs={"photo": InputFacts((1, 8, 8), "images")}))
    with pytest.raises(UserError, match="makes vectors"):
        Space(plain(shape=(64,)))


def test_a_point_needs_a_class_where_there_are_classes():
    space = Space(plain(classes=3))
    points = space.at("1:a,2", label="b")
    assert points.labels.tolist() == [0, 1]
    mixed = Points(points.values[:1], torch.tensor([[0.5, 0.5, 0.0]]))
    assert space.images(mixed).shape == (1, 1, 8, 8)


class EncodingGAN(TwoPlayerGAN):
    """Latents of an image are its first pixels, and of class 1 those with the other sign."""

    def encode(self, images, labels=None, *, averaged=True):
        sign = 1 if labels is None else 1 - 2 * labels[:, None]
        return sign * images[:, 0, 0, :4]


def test_a_picture_stands_for_what_the_encoder_makes_of_it(tmp_path):
    generator = trained(EncodingGAN, PlainGenerator(2), 2)
    assert isinstance(generator.module, WithEncoder)
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    Image.fromarray(pixels).save(tmp_path / "left.png")
    expected = torch.from_numpy(pixels[:1, :4].astype(np.float32) / 127.5 - 1)
    found = Space(generator).at(f"3:0,{tmp_path}/left.png", label="1")
    assert (found.names[1], found.labels.tolist()) == ("left", [0, 1])
    torch.testing.assert_close(found.values[1:], -expected)
    strip = interpolate(generator, [f"{tmp_path}/left.png,5"], steps=3, label="0")
    assert strip.images.shape == (1, 4, *SHAPE)
    first = generator.module.network("generator")(expected, torch.zeros(1).long())
    torch.testing.assert_close(strip.images[0, 0], first[0].detach())


def test_a_picture_needs_an_encoder_and_has_to_be_there(tmp_path):
    with pytest.raises(UserError, match="TwoPlayerGAN has no encoder that finds the latents of a picture; search"):
        Space(plain()).at("face.png")
    with pytest.raises(UserError, match="cannot be read as a picture"):
        Space(trained(EncodingGAN, PlainGenerator(0))).at(str(tmp_path / "none.png"))
