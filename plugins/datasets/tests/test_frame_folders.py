from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_datasets.frame_folders import FrameFolders
from PIL import Image

from ganlab.data import StepPlan, Stream
from ganlab.data.opening import Wishes, arrange
from ganlab.data.report import report_on
from ganlab.errors import DataError, DataMissing
from ganlab.testing.dataset_checks import check_examples


def write(folder, **films):
    """Films of so many frames each: frame t of film f is 20 f + t, its map has class t modulo 3."""
    for number, (name, frames) in enumerate(films.items()):
        for kind in ("images", "maps"):
            (folder / kind / name).mkdir(parents=True, exist_ok=True)
        for frame in range(frames):
            pixels = np.full((4, 6, 3), 20 * number + frame, np.uint8)
            pixels[0, 0] = (255, 0, 0)
            Image.fromarray(pixels).save(folder / f"images/{name}/frame{frame}.png")
            Image.fromarray(np.full((4, 6), frame % 3, np.uint8)).save(folder / f"maps/{name}/frame{frame}.png")
    return str(folder / "images"), str(folder / "maps")


def test_an_example_is_the_first_frames_of_a_film_in_the_order_of_their_numbers(tmp_path):
    data = FrameFolders(*write(tmp_path, a=12, b=4), 3, frames=4)
    assert data.facts.shape == (4, 3, 4, 6)
    assert (data.facts.frames, data.facts.size, len(data)) == (4, 2, 2)
    assert data.facts.inputs["label_map"].shape == (4, 1, 4, 6)
    assert data[1]["images"][:, 0, 1, 1].tolist() == [20, 21, 22, 23]
    windows = data.take_windows([0, 0, 1], torch.tensor([0.999, 0.5, 0.999]), 4)
    assert windows["images"][:, :, 0, 1, 1].tolist() == [[8, 9, 10, 11], [4, 5, 6, 7], [20, 21, 22, 23]]
    assert windows["label_map"][0, :, 0, 2, 2].tolist() == [2, 0, 1, 2]
    check_examples(data)
    assert not report_on(data).problems


def test_the_stream_draws_another_window_in_each_epoch(tmp_path):
    data = arrange(FrameFolders(*write(tmp_path, a=12, b=6, c=5), 3, frames=4), Wishes())
    stream = Stream(data, seed=0)
    starts = set()
    for epoch in range(60):
        batch = stream[StepPlan(3 * epoch, 0, 3, 1, 0, 3, frames=3)]
        assert batch.images.shape == (3, 3, 3, 4, 6)
        assert torch.equal(batch.inputs["label_map"][:, :, 0, 1:].int(), batch.images[:, :, 0, 1:].int() % 20 % 3)
        first = batch.images[:, :, 0, 1, 1]
        assert torch.equal(first[:, 1:].int() - first[:, :-1].int(), torch.ones(3, 2, dtype=torch.int))
        starts |= set(first[:, 0].tolist())
    assert starts == {*range(10), *range(20, 24), *range(40, 43)}
    again = Stream(data, seed=0)[StepPlan(3 * 7, 0, 3, 1, 1, 2, frames=3)]
    assert torch.equal(again.images, Stream(data, seed=0)[StepPlan(3 * 7, 0, 3, 1, 0, 3, frames=3)].images[1:])


def test_what_does_not_fit_is_told(tmp_path):
    paths = write(tmp_path, a=5, short=2)
    with pytest.raises(DataError, match=r"the film 'short' in .* has 2 frames, and an example takes 3"):
        FrameFolders(*paths, 3, frames=3)
    with pytest.raises(DataError, match=r"windows of 4 frames, but the sequences of the data have 2"):
        Stream(FrameFolders(*paths, 3, frames=2), seed=0)[StepPlan(0, 0, 1, 1, 0, 1, frames=4)]
    with pytest.raises(DataMissing) as missing:
        FrameFolders("nowhere", "nothing", 3, frames=5, resolution=8, channels=3)
    assert missing.value.facts.shape == (5, 3, 8, 8)
    assert missing.value.facts.inputs["label_map"].shape == (5, 1, 8, 8)


def test_held_out_films_are_films(tmp_path):
    images, maps = write(tmp_path / "train", a=5, b=6)
    others = write(tmp_path / "test", c=4)
    data = FrameFolders(images, maps, 3, frames=3, held_out_images=others[0], held_out_maps=others[1])
    assert arrange(data, Wishes()).held_out.facts.shape == (3, 3, 4, 6)
    assert len(list(data.inspect())) == 2
