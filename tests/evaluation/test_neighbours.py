"""Nearest training images against a search over all pairs in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from ganlab.contracts import DataFacts
from ganlab.errors import UserError
from ganlab.evaluation.neighbours import SHOWN, find_neighbours
from tests.tiny import SampledModule, TinyData, tiny_gan, tiny_settings


class Copier(SampledModule):
    """Stands for a trained module: its samples are training images, or noise."""

    def __init__(self, data, copies: bool) -> None:
        super().__init__()
        self.facts, self.data, self.copies = data.facts, data, copies

    def sample(self, random, labels=None, *, inputs=None, averaged=True):
        if not self.copies:
            return random.uniform("noise", *self.facts.shape) * 2 - 1
        indices = random.integers("index", len(self.data))
        return self.data.images[indices].float() / 127.5 - 1


def distances(fakes, data, flip):
    """(N, size), mirrored images included."""
    others = [data.images, data.images.flip(-1)] if flip else [data.images]
    first = fakes.double().flatten(1)
    return torch.stack([(first[:, None] - o.double().flatten(1)).square().mean(2).sqrt() for o in others]).amin(0)


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("size", [50, 600])
def test_finds_the_nearest(size: int, flip: bool) -> None:
    data = TinyData(size)
    found = find_neighbours(Copier(data, copies=False), data, 5, flip=flip)
    assert found.fakes.shape == (5, 1, 4, 4)
    assert found.nearest.shape == (5, SHOWN, 1, 4, 4)
    expected = distances(found.fakes, data, flip)
    nearest, places = expected.topk(SHOWN, largest=False)
    torch.testing.assert_close(found.fake_distances[:5].double(), nearest[:, 0], rtol=1e-5, atol=1e-5)
    assert torch.equal(found.nearest, data.images[places])
    apart = distances(data.images, data, flip).fill_diagonal_(torch.inf).amin(1)
    assert len(found.real_distances) == min(size, 256)
    assert torch.isin(found.real_distances.double().round(decimals=3), apart.round(decimals=3)).all()


def test_copies_are_memorised_and_new_noise_is_not() -> None:
    data = TinyData(400)
    assert find_neighbours(Copier(data, copies=True), data, 4).memorisation == 1
    assert find_neighbours(Copier(data, copies=True), data, 4).fake_distances.max() == 0
    assert find_neighbours(Copier(data, copies=False), data, 4).memorisation == pytest.approx(0.5, abs=0.08)


def test_picture(tmp_path) -> None:
    data = TinyData(20)
    found = find_neighbours(Copier(data, copies=True), data, 6)
    found.save(tmp_path / "neighbours.png")
    pixels = np.asarray(Image.open(tmp_path / "neighbours.png"))
    side = 4 * 42  # enlarged 42 times to about 1,000 pixels
    assert pixels.shape == (4 * (side + 2) - 2, 6 * (side + 2) - 2)
    assert np.array_equal(pixels[:side], pixels[side + 2 : 2 * side + 2])  # copies stand above themselves


def test_large_images_are_compared_small() -> None:
    data = TinyData(10, (3, 128, 96))
    found = find_neighbours(Copier(data, copies=True), data, 2)
    assert found.nearest.shape == (2, 3, 3, 128, 96)
    assert torch.equal(found.nearest[:, 0], found.fakes)


def test_any_distance_will_do() -> None:
    def brightness(images: torch.Tensor) -> torch.Tensor:
        return images.float().mean((1, 2, 3))[:, None]

    data = TinyData(300)
    found = find_neighbours(Copier(data, copies=False), data, 4, vectors=brightness)
    apart = (brightness(found.fakes) - brightness(data.images).T).abs()
    expected = apart.sort().values[:, :SHOWN]
    assert torch.equal(found.fake_distances[:4], expected[:, 0])
    shown = brightness(found.nearest.flatten(0, 1)).view(4, SHOWN)
    assert torch.equal((shown - brightness(found.fakes)).abs(), expected)


def test_a_trained_module() -> None:
    found = find_neighbours(tiny_gan(tiny_settings()), TinyData(), 3)
    assert 0 <= found.memorisation <= 1


def test_refuses_vectors() -> None:
    data = TinyData()
    data.facts = DataFacts((2,), 50, "points")
    with pytest.raises(UserError, match="at least two images"):
        find_neighbours(tiny_gan(), data, 3)
