"""What pictures of samples and of reals show, and where."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.contracts import DataFacts
from ganlab.errors import PluginError
from ganlab.evaluation.panels import panels_of, side_by_side
from ganlab.evaluation.pictures import real_picture, row_names, sample_picture
from ganlab.evaluation.sampling import Samples
from ganlab.evaluation.source import source_of
from ganlab.randomness import Randomness
from ganlab.training.module import GANModule
from tests.data.toys import Numbered, Paired, Sequences
from tests.tiny import SampledModule, TinyData, tiny_gan


def to_bytes(images):
    return (images * 127.5 + 127.5).round().to(torch.uint8)


class Translated(SampledModule):
    """Stands for a game from images to images whose samples are black."""

    panels = GANModule.panels

    def __init__(self, facts):
        super().__init__()
        self.facts = facts

    def sample(self, random, labels=None, *, inputs=None, averaged=True):
        return -torch.ones(len(random), *self.facts.shape)


def test_inputs_fakes_and_targets_lie_side_by_side():
    data = Paired(6)
    picture = sample_picture(Translated(data.facts), (2, 2), 0, source=source_of(data, "cpu"))
    assert picture.examples.shape == (4, 3, 8, 5 * 8)  # photo, map, mask, fake, target
    photo, of_map, of_mask, fake, target = picture.examples.split(8, dim=-1)
    assert torch.equal(photo, data.fields["photo"][:4])
    assert torch.equal(target, data.fields["images"][:4])
    assert (fake == 0).all()
    for shown, field in ((of_map, data.fields["map"][:4, 0]), (of_mask, data.fields["mask"][:4])):
        colours = {
            int(v): {tuple(pixel) for pixel in shown.movedim(1, -1)[field == v].tolist()} for v in field.unique()
        }
        assert all(len(of_value) == 1 for of_value in colours.values())
        assert len(set.union(*colours.values())) == len(colours)


def test_reals_stand_beside_their_inputs():
    data = Paired(6)
    picture = real_picture(data, (2, 2), 0, Translated(data.facts))
    photo, _, _, real = picture.examples.split(8, dim=-1)
    assert torch.equal(photo, real + 1)
    assert torch.equal(real_picture(data, (2, 2), 0).examples, real)


def test_panels_of_other_channels_and_sizes_are_brought_together():
    grey = torch.tensor([[-1.0, 1.0], [0.2, 0.6]]).view(1, 1, 2, 2)
    colour = torch.rand(1, 3, 4, 4) * 2 - 1
    clear = torch.full((1, 4, 8, 8), -1.0)  # nothing but what is behind
    shown = side_by_side([grey, colour, clear])
    assert shown.shape == (1, 3, 8, 24)
    first, second, third = shown.split(8, dim=-1)
    assert torch.equal(first, to_bytes(grey).expand(1, 3, 2, 2).repeat_interleave(4, 2).repeat_interleave(4, 3))
    assert torch.equal(second, to_bytes(colour).repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert set(third.unique().tolist()) == {153, 204}
    assert side_by_side([grey, grey]).shape == (1, 1, 2, 4)
    wide = side_by_side([colour, torch.zeros(1, 1, 2, 6)])
    assert wide.shape == (1, 3, 4, 4 + 12)


def test_maps_of_several_channels_have_a_colour_for_each_combination():
    channels = torch.tensor([[0, 1, 0, 1, 0], [0, 0, 1, 1, 0]]).view(1, 2, 1, 5)
    colours = [tuple(pixel) for pixel in side_by_side([channels])[0, :, 0].T.tolist()]
    assert colours[0] == colours[4]
    assert len(set(colours)) == 4


def test_sequences_show_panels_beside_every_frame():
    frames = torch.rand(2, 3, 1, 4, 4) * 2 - 1
    still = torch.rand(2, 3, 4, 4) * 2 - 1
    maps = torch.arange(2 * 3 * 16).view(2, 3, 4, 4)  # one for each frame
    shown = side_by_side([frames, still, maps], frames=3)
    assert shown.shape == (2, 3, 3, 4, 12)
    assert torch.equal(shown[..., :4], to_bytes(frames).expand(2, 3, 3, 4, 4))
    assert torch.equal(shown[:, 1, :, :, 4:8], to_bytes(still))
    assert not torch.equal(shown[:, 0, :, :, 8:], shown[:, 1, :, :, 8:])


def test_sequences_are_rows_of_frames_and_move_together(tmp_path):
    picture = real_picture(Sequences(), (6, 8), 0)
    assert picture.examples.shape == (6, 3, 1, 4, 4)
    picture.save(tmp_path / "grid.png")
    pixels = np.asarray(Image.open(tmp_path / "grid.png"))
    factor = round(1000 / 24)
    side = 4 * factor
    assert pixels.shape == (6 * side + 10, 3 * side + 4)
    values = picture.examples[2, :, 0, 1, 1].tolist()
    assert pixels[2 * (side + 2) + factor + 1, factor + 1 :: side + 2].tolist() == values
    moving = Image.open(tmp_path / "grid.gif")
    factor = round(500 / 12)
    assert (moving.n_frames, moving.size) == (3, (3 * 4 * factor + 4, 2 * 4 * factor + 2))


def test_reals_have_the_classes_of_the_samples_in_their_places():
    data = Numbered(60)
    for grid in ((3, 4), (4, 3), (2, 2)):
        places = real_picture(data, grid, 5).examples[:, 0, 0, 0]
        fakes = sample_picture(of_labels(data.facts), grid, 0).examples[:, 0, 0, 0]
        assert (places % 3).tolist() == fakes.tolist()
        assert len(places.unique()) == len(places)
    assert row_names(data.facts, 3, 4) == ["a", "b", "c"]
    assert row_names(data.facts, 4, 2) == ["a", "b", "c", "a"]
    assert row_names(data.facts, 2, 3) == row_names(data.facts, 2, 2) == row_names(Paired().facts, 2, 2) == []


def of_labels(facts):
    module = Translated(facts)
    module.sample = lambda random, labels, **options: (
        (labels.float() / 127.5 - 1).view(-1, 1, 1, 1).expand(-1, *facts.shape)
    )
    return module


def test_a_class_without_examples_leaves_its_places_empty():
    data = Numbered(60)
    data.facts = replace(data.facts, class_names=("a", "b", "c", "d"))
    examples = real_picture(data, (4, 2), 0).examples
    assert examples.shape == (8, 1, 2, 2)
    assert (examples[:6, 0, 1, 1] == 100).all()
    assert (examples[6:] == 0).all()


def test_a_games_own_panels_are_made_at_rest_from_the_samples_latents():
    module = tiny_gan().train()
    seen = []

    def strip(fakes, inputs, images, random):
        seen.append((module.training, torch.is_grad_enabled(), images))
        return [module.render(module.draw(random)), -fakes]

    module.panels = strip
    picture = sample_picture(module, (2, 2), 3)
    left, right = picture.examples.split(4, dim=-1)
    assert (left.int() + right - 255).abs().max() <= 1
    assert seen == [(False, False, None)]
    assert module.training


@pytest.mark.parametrize("wrong", [[torch.zeros(3, 1, 4, 4)], [torch.zeros(2, 16)], [torch.zeros(2, 3, 1, 4, 4)], []])
def test_panels_that_are_no_pictures_of_the_samples_are_refused(wrong):
    module = tiny_gan()
    module.panels = lambda fakes, inputs, images, random: wrong
    with pytest.raises(PluginError, match=r"TwoPlayerGAN.panels\(\) returned"):
        panels_of(module, Samples(torch.zeros(2, 1, 4, 4), None, Randomness(0, count=2)))


def test_transparent_data_are_shown_on_a_checkerboard():
    data = TinyData(8, (4, 16, 16))
    data.images[:, 3] = 0
    assert set(real_picture(data, (2, 2), 0).examples.unique().tolist()) == {153, 204}
    facts = DataFacts((2,), 4, "x")
    assert row_names(facts, 2, 2) == []
