"""A judge of the part of frames around some classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from ganlab_layers.multiscale import MultiscaleDiscriminator
from ganlab_objectives.lsgan import LeastSquares
from ganlab_video.generator import EXAMPLE_FACTS, FilmGenerator
from ganlab_video.region import Region
from ganlab_video.terms import features_apart
from ganlab_video.vid2vid import Vid2Vid

from ganlab import UserError
from ganlab.data.loader import StepLoader
from ganlab.testing.examples import ExampleData, example_settings

FACTS = replace(EXAMPLE_FACTS, fingerprint="films")
FACE = 2


def judge(shape, inputs):
    return MultiscaleDiscriminator(shape, inputs, width=2, layers=2, scales=1)


def game(**options):
    torch.manual_seed(0)
    options = {"region": [FACE], "region_discriminator": judge, "region_share": 0.5, **options}
    module = Vid2Vid(FilmGenerator(FACTS, width=2, halvings=1, blocks=0), judge, LeastSquares(), FACTS, **options)
    module.prepare(example_settings(module, FACTS, batch_size=4))
    return module.eval()  # or each pass would move the estimates of spectral norms


def clip_with_faces(module, faces):
    """The batch of a first clip whose maps have a face only in these films, at pixels 3 to 5 and 7 to 10."""
    loader = StepLoader(ExampleData(FACTS), step_size=module.step_size, seed=0)
    batch = next(iter(loader)).map(module.in_order).batches(FACTS, 0)[0]
    for film in range(4):
        batch.inputs["label_map"][film] = film % 2
        if film in faces:
            batch.inputs["label_map"][film, ..., 3:6, 7:11] = FACE
    start, clip = next(module._clips(batch))
    return clip, clip.as_batch(batch, start)


def test_a_square_is_in_the_middle_of_the_classes_as_far_as_the_frame_allows():
    torch.manual_seed(0)
    region = Region((1, 2), 0.5)
    maps = torch.zeros(40, 3, 16, 12)
    maps[:-1, 1:] = (torch.rand(39, 2, 16, 12) < 0.01).float()
    top, left, there = region.find(maps)
    images = torch.rand(40, 3, 16, 12)
    cut = region.cut(images, top, left)
    assert cut.shape == (40, 3, 6, 6)
    for index, stack in enumerate(maps.numpy()):
        rows, columns = np.nonzero(stack[1] + stack[2])
        assert bool(there[index]) == bool(len(rows))
        begins = int(top[index]), int(left[index])
        if len(rows):
            middles = (rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2
            for begin, middle, length in zip(begins, middles, (16, 12), strict=True):
                assert abs(begin + 2.5 - np.clip(middle, 2.5, length - 3.5)) <= 0.5
        square = images[index, :, begins[0] : begins[0] + 6, begins[1] : begins[1] + 6]
        assert torch.equal(cut[index], square)
    assert 5 < there.sum() < 40


def test_the_judge_sees_reals_fakes_and_maps_of_the_square_and_counts_where_the_classes_are():
    module = game(region_weight=3.0, adversarial=2.0)
    clip, batch = clip_with_faces(module, {1, 2})
    side, films = 6, slice(1, 3)
    place = (slice(1, 1 + side), slice(6, 6 + side))  # around rows 3 to 5 and columns 7 to 10
    reals, fakes = (images[films, 0][..., *place] for images in (clip.new_reals, clip.fakes))
    maps = clip.maps[films, -1][..., *place]
    of_region = module.discriminator["region"]
    real, fake = of_region(reals, None, maps), of_region(fakes, None, maps)
    terms = module.discriminator_terms(batch)
    expected = ((real.logits - 1).square().mean() + fake.logits.square().mean()) / 2 * 2 / 4
    torch.testing.assert_close(terms["region"], expected)
    of_generator = module.generator_terms(batch)
    wanted = 2.0 * 3.0 * (fake.logits - 1).square().mean() / 2 * 2 / 4
    torch.testing.assert_close(of_generator["region"], wanted)
    without = game(region=[], region_discriminator=None, adversarial=2.0)
    without.load_state_dict({k: v for k, v in module.state_dict().items() if ".region." not in k})
    matching = of_generator["matching"] - without.generator_terms(batch)["matching"]
    torch.testing.assert_close(matching, 10.0 * 3.0 * features_apart(fake, real) * 2 / 4)


def test_without_any_of_the_classes_nothing_is_learned_there():
    module = game()
    _, batch = clip_with_faces(module, set())
    terms = module.discriminator_terms(batch)
    assert terms["region"].item() == 0
    gradients = torch.autograd.grad(terms["region"], list(module.discriminator["region"].parameters()))
    assert not any(gradient.any() for gradient in gradients)
    assert module.generator_terms(batch)["region"].item() == 0


def test_regions_that_are_not_there_are_told():
    with pytest.raises(UserError, match="belong together"):
        game(region=[])
    with pytest.raises(UserError, match="'region' has classes of the first map, which are 0 to 2"):
        game(region=[3])
