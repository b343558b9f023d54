"""Digits for translations."""

from __future__ import annotations

import torch
from ganlab_datasets.digit_translations import GROUND, INK, DigitColours, DigitOutlines, coloured, outlines


def test_an_outline_goes_around_the_stroke() -> None:
    image = torch.zeros(1, 1, 6, 6, dtype=torch.uint8)
    image[..., 2:4, 2:4] = 255
    edge = outlines(image)[0, 0]
    assert (edge > 0).sum() == 12
    assert not edge[2:4, 2:4].any()


def test_outlines_belong_to_their_digits() -> None:
    data = DigitOutlines(16)
    example = data[5]
    assert torch.equal(example["source"], outlines(example["images"][None])[0])
    assert torch.equal(data.take([5])["source"][0], example["source"])


def test_no_digit_is_in_both_domains() -> None:
    data = DigitColours(16)
    grey = data.further["grey"]
    assert len(data) + len(grey) == 1797
    assert data.facts.shape == (3, 16, 16)
    ground, ink = coloured(torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1)).flatten(1).tolist()
    assert (tuple(ground), tuple(ink)) == (GROUND, INK)
    assert not any(torch.equal(coloured(grey.images[:1])[0], image) for image in data.images)
