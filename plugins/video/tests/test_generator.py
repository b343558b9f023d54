from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ganlab_layers.batch import BatchNormalizer
from ganlab_video.frame_inputs import stack_of_frames
from ganlab_video.generator import EXAMPLE_FACTS, FilmGenerator
from torch.nn.functional import grid_sample

from ganlab import DataFacts, InputFacts, UserError
from ganlab.testing import parameter_count

STREET = DataFacts(
    (2, 3, 256, 512),
    4,
    "street",
    frames=2,
    inputs={
        "label_map": InputFacts((2, 1, 256, 512), "maps", classes=35),
        "edges": InputFacts((2, 1, 256, 512), "maps", classes=2),
    },
)


def made(raw_only=False, **options):
    torch.manual_seed(0)
    generator = FilmGenerator(EXAMPLE_FACTS, **{"width": 4, "halvings": 1, "blocks": 2, **options}).double()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))  # or flows would be nearly 0
    numbers = torch.randint(3, (2, generator.past + 1, 1, 16, 12))
    maps = stack_of_frames({"label_map": numbers}, generator.inputs).double()
    frames = torch.rand(2, generator.past, 3, 16, 12, dtype=torch.float64) * 2 - 1 if generator.past else None
    return generator, numbers, maps, frames, generator(maps, frames, raw_only)


@pytest.mark.parametrize("scales", [1, 2])
def test_a_frame_is_drawn_where_the_mask_says_and_else_the_one_before_moved(scales):
    generator, _, _, frames, frame = made(scales=scales)
    height, width = 16, 12
    rows, columns = torch.meshgrid(torch.arange(16.0), torch.arange(12.0), indexing="ij")
    places = torch.stack([columns + frame.flow[:, 0], rows + frame.flow[:, 1]], dim=-1)
    grid = places / torch.tensor([width - 1, height - 1]) * 2 - 1
    moved = grid_sample(frames[:, 1], grid, padding_mode="border", align_corners=True)
    assert frame.flow.abs().mean() > 0.1
    assert frame.mask.std() > 0.01
    assert torch.allclose(frame.image, frame.mask * frame.raw + (1 - frame.mask) * moved, atol=1e-10)
    assert frame.raw.abs().max() <= 1
    assert len(generator.stages) == scales


def test_a_first_frame_is_drawn_alone_and_so_is_all_of_a_generator_without_a_past():
    *_, frame = made(raw_only=True)
    assert torch.equal(frame.image, frame.raw)
    generator, *_, alone = made(past=0)
    assert torch.equal(alone.image, alone.raw)
    assert (alone.flow, alone.mask, generator.moves) == (None, None, False)
    *_, still = made(flow=False)
    assert still.flow is None


def test_what_is_in_front_is_drawn_from_the_maps_alone():
    generator, numbers, maps, frames, frame = made(foreground=[1])
    other = generator(maps, torch.zeros_like(frames))
    here = (numbers[:, -1] == 1).expand(-1, 3, -1, -1)
    assert torch.equal(frame.image[here], other.image[here])
    assert not torch.isclose(frame.image[~here], other.image[~here]).any()
    assert torch.equal(frame.image[here], frame.raw[here])
    with pytest.raises(UserError, match="classes of the first map, which are 0 to 2"):
        FilmGenerator(EXAMPLE_FACTS, width=2, halvings=1, foreground=[3])


def published(maps: int, frames: int, width: int, blocks: int) -> int:
    """Numbers of the authors' network of one scale, with batch norm and a bias everywhere, counted layer by layer."""

    def layer(before, after, size):
        return before * after * size**2 + after + 2 * after

    def down(channels, base):
        halvings = sum(layer(base * 2**level, base * 2 ** (level + 1), 3) for level in range(3))
        return layer(channels, base, 7) + halvings

    def up(base):
        return sum(layer(base * 2 ** (level + 1), base * 2**level, 3) for level in range(3))

    block = 2 * layer(8 * width, 8 * width, 3)
    inputs = down(maps, width) + down(frames, width) + 2 * (blocks - blocks // 2) * block
    branches = 2 * (blocks // 2) * block + 2 * up(width)
    return inputs + branches + (width * 49 + 1) * (3 + 2 + 1)


def test_the_defaults_are_the_authors_network():
    generator = FilmGenerator(STREET, normalizer=BatchNormalizer())
    without = [layer for layer in generator.modules() if hasattr(layer, "kernel_size") and layer.bias is None]
    biases = sum(layer.out_channels for layer in without)
    assert parameter_count(generator) + biases == published(3 * 36, 2 * 3, 128, 9)
    assert generator.inputs["edges"].shape == (1, 256, 512)


def test_frames_that_do_not_fit_are_told():
    with pytest.raises(UserError, match="multiples of 8 and larger than that"):
        FilmGenerator(EXAMPLE_FACTS, width=2, halvings=3)
    with pytest.raises(UserError, match="the examples of these data are none"):
        FilmGenerator(EXAMPLE_FACTS.of_frames, width=2)
    with pytest.raises(UserError, match="films are made from maps or images for each frame"):
        FilmGenerator(replace(EXAMPLE_FACTS, inputs={}), width=2)
