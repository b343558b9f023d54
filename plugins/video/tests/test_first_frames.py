"""First frames by a generator of single images."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ganlab_layers.multiscale import MultiscaleDiscriminator
from ganlab_objectives.lsgan import LeastSquares
from ganlab_translation.pix2pix import Pix2Pix
from ganlab_video.generator import EXAMPLE_FACTS, FilmGenerator
from ganlab_video.vid2vid import Vid2Vid

import ganlab
from ganlab import DataFacts, InputFacts, Randomness, UserError
from ganlab.data.reduction import reduce_images
from ganlab.run.generator_file import build_sampler
from ganlab.spec import node_from
from ganlab.spec.render import plain
from ganlab.testing.examples import example_settings
from ganlab.training.checkpoint import export_generator

FACTS = replace(EXAMPLE_FACTS, fingerprint="films")
MAPS = InputFacts((16, 12), "maps", classes=3)  # as the data set of single maps has them, without a channel
IMAGES = DataFacts((3, 16, 12), 24, "images", inputs={"label_map": MAPS})


def saved(folder, facts=IMAGES, dropout=0.0):
    """The file of a generator of images, which draws noise only with `dropout`."""
    torch.manual_seed(3)
    unet = {"name": "unet", "width": 2, "depth": 2, "dropout": dropout}
    node = node_from("architectures", {"name": "pix2pix", **Pix2Pix.example, "generator": unet})
    record = {"name": "images", "seed": 0, "architecture": plain(node), "facts": facts.to_record(), "averaged": True}
    module = build_sampler(node, facts, 0, averaged=True, made_from=record)
    export_generator(folder / "generator.safetensors", module)
    return str(folder / "generator.safetensors")


def judge(shape, inputs):
    return MultiscaleDiscriminator(shape, inputs, width=2, layers=2, scales=1)


def game(facts=FACTS, scales=1, **options):
    torch.manual_seed(0)
    generator = FilmGenerator(facts, width=2, halvings=1, blocks=0, scales=scales)
    module = Vid2Vid(generator, judge, LeastSquares(), facts, **options)
    module.prepare(example_settings(module, facts, batch_size=4))
    return module.eval()


def film_of(module, maps, rows=slice(None), **options):
    with torch.no_grad():
        random = Randomness(5, count=len(maps)).take(rows)
        return module.sample(random, inputs={"label_map": maps[rows]}, **options)


@pytest.mark.parametrize(("first_frame", "count"), [("made", 1), ("given", 2)])
def test_first_frames_are_the_other_generators_and_the_film_goes_on_from_them(tmp_path, first_frame, count):
    path = saved(tmp_path)
    module = game(first_frame=first_frame)
    maps = torch.randint(3, (2, 5, 1, 16, 12))
    film = film_of(module, maps, first_from=path)
    assert film.shape == (2, 5, 3, 16, 12)
    single = ganlab.load(path, device="cpu")
    for frame in range(count):
        expected = single.sample(2, inputs={"label_map": maps[:, frame, 0]})
        torch.testing.assert_close(film[:, frame], expected)
    assert module.made_from({"first_from": path}) == ()
    assert module.made_from({}) == (() if first_frame == "made" else ("images",))
    if first_frame == "given":
        given = {"label_map": maps, "images": film}
        with torch.no_grad():
            torch.testing.assert_close(film, module.sample(Randomness(5, count=2), inputs=given))
    else:
        assert not torch.isclose(film, film_of(module, maps))[:, 0].all()


def test_a_film_does_not_depend_on_those_beside_it(tmp_path):
    path, module = saved(tmp_path, dropout=0.5), game()
    maps = torch.randint(3, (3, 3, 1, 16, 12))
    film = film_of(module, maps, first_from=path)
    torch.testing.assert_close(film[1:], film_of(module, maps, slice(1, 3), first_from=path))


def test_before_finer_scales_have_joined_first_frames_are_as_small_as_others(tmp_path):
    path = saved(tmp_path)
    module = game(scales=2, finer_kimg=[1.0])
    maps = torch.randint(3, (2, 3, 1, 16, 12))
    film = film_of(module, maps, first_from=path)
    expected = ganlab.load(path, device="cpu").sample(2, inputs={"label_map": maps[:, 0, 0]})
    torch.testing.assert_close(reduce_images(film[:, 0], 8), reduce_images(expected, 8))
    torch.testing.assert_close(film[..., ::2, ::2], film[..., 1::2, 1::2])


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        (
            replace(IMAGES, shape=(3, 32, 24)),
            "it makes 32 x 24 pixels in 3 channels, and frames are 16 x 12 pixels in 3",
        ),
        (replace(IMAGES, inputs={"sketch": MAPS}), "from 'sketch', which the frames of this run have not"),
        (
            replace(IMAGES, inputs={"label_map": replace(MAPS, classes=5)}),
            "'label_map' is maps of 5 classes with 1 channels, 16 x 12 pixels, and that of the frames maps of 3",
        ),
        (replace(IMAGES, class_names=("a", "b")), "images of classes, which frames have not"),
    ],
)
def test_generators_that_do_not_fit_are_told(tmp_path, facts, sentence):
    if facts.shape != IMAGES.shape:
        facts = replace(facts, inputs={"label_map": replace(MAPS, shape=facts.shape[1:])})
    path, module = saved(tmp_path, facts), game()
    with pytest.raises(UserError, match=sentence):
        film_of(module, torch.zeros(1, 3, 1, 16, 12, dtype=torch.long), first_from=path)
