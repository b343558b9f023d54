"""Similarity within classes, and accuracy at lower resolutions."""

from __future__ import annotations

import pytest
import torch
from ganlab_metrics.class_similarity import ClassSimilarity
from ganlab_metrics.resized_accuracy import ResizedAccuracy, reduced_and_enlarged
from ganlab_metrics.structural_similarity import ms_ssim

from ganlab import DataFacts, UserError

FACTS = DataFacts((1, 16, 16), 64, "classes", class_names=("a", "b", "c"))


def noise(count, seed, mixed=0.0):
    """Noise, with a share of one picture in all of it."""
    generator = torch.Generator().manual_seed(seed)
    common = torch.rand(1, 1, 16, 16, generator=generator)
    own = torch.rand(count, 1, 16, 16, generator=generator)
    return ((mixed * common + (1 - mixed) * own) * 255).to(torch.uint8)


def test_pairs_are_made_within_classes():
    labels = torch.arange(36) % 3
    images = noise(36, 0)
    metric = ClassSimilarity(FACTS, pairs=4)
    for rows in torch.arange(36).split(7):
        metric.update(images[rows], True, labels[rows])
        metric.update(images.flip(3)[rows], False, labels[rows])
    of_b = images[labels == 1][:8].double()
    expected = ms_ssim(of_b[::2], of_b[1::2]).mean().item()
    found = metric.compute()
    assert found["reals/b"] == pytest.approx(expected, rel=1e-5)
    assert found["class_similarity"] == pytest.approx(sum(found[f"fakes/{name}"] for name in "abc") / 3)


def test_a_class_that_has_one_image_only_is_not_diverse():
    labels = torch.arange(60) % 3
    metric = ClassSimilarity(FACTS)
    for label, mixed in enumerate((0.2, 0.5, 0.8)):
        metric.update(noise(20, label, mixed), True, labels[labels == label])
        metric.update(noise(20, 9, (0.2, 0.5, 1.0)[label]), False, labels[labels == label])
    found = metric.compute()
    assert found["diverse"] == pytest.approx(2 / 3)
    assert found["fakes/a"] < found["fakes/b"] < found["fakes/c"] == pytest.approx(1)
    metric.reset()
    with pytest.raises(ValueError, match="needs a class with at least two"):
        metric.compute()


def tiles(labels, seed):
    """Classes that differ by where light is, and c from b by a pattern of single pixels."""
    images = torch.randint(0, 60, (len(labels), 1, 16, 16), generator=torch.Generator().manual_seed(seed))
    images[labels == 0, :, :8] += 150
    images[labels > 0, :, 8:] += 75
    pattern = 75 * (-1) ** (torch.arange(8)[:, None] + torch.arange(16)[None])
    images[labels == 2, :, 8:] += pattern
    return images.clamp(0, 255).to(torch.uint8)


def test_what_single_pixels_tell_is_lost_at_half_the_resolution():
    metric = ResizedAccuracy(FACTS, width=8, passes=20)
    labels = torch.arange(120) % 3
    metric.update(tiles(labels, 0), True, labels)
    metric.update(tiles(labels, 1), False, labels)
    found = metric.compute()
    assert set(found) == {"resized_accuracy", "at/8", "at/4", "reals", "reals/8", "reals/4"}
    assert min(found["resized_accuracy"], found["reals"]) > 0.95
    assert 0.4 < found["at/8"] < 0.8
    assert 0.4 < found["reals/4"] < 0.8


def test_a_gradient_survives_reduction_and_a_chessboard_turns_grey():
    slope = torch.arange(16.0).expand(1, 1, 16, 16)
    torch.testing.assert_close(reduced_and_enlarged(slope, 8)[..., 5:-5], slope[..., 5:-5])
    board = (torch.arange(16)[:, None] + torch.arange(16)) % 2 * 1.0
    assert (reduced_and_enlarged(board[None, None], 8) - 0.5).abs().max() < 0.1
    assert reduced_and_enlarged(torch.zeros(1, 1, 16, 8), 8).shape == (1, 1, 16, 8)


def test_data_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="have no classes"):
        ClassSimilarity(DataFacts((1, 8, 8), 9, "plain"))
    with pytest.raises(UserError, match="have vectors of 2 numbers"):
        ClassSimilarity(DataFacts((2,), 9, "plain", class_names=("a", "b")))
    with pytest.raises(UserError, match="needs images with labels"):
        ResizedAccuracy(DataFacts((1, 8, 8), 9, "plain"))
    with pytest.raises(UserError, match="'resolutions' has 16, and images have 16 pixels"):
        ResizedAccuracy(FACTS, [8, 16])
