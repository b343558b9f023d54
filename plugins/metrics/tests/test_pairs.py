"""Distances of fakes and their targets."""

from __future__ import annotations

import math

import pytest
import torch
from ganlab_metrics.pairs import PairDistance, PairPerceptual
from ganlab_metrics.plain_features import Pixels
from torchmetrics.image import PeakSignalNoiseRatio, StructuralSimilarityIndexMeasure

from ganlab import DataFacts, UserError

FACTS = DataFacts((3, 16, 12), 10, "pairs")


@pytest.fixture
def pairs() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    targets = torch.randint(0, 256, (5, 3, 16, 12), generator=generator)
    noise = torch.randint(-40, 41, targets.shape, generator=generator)
    return (targets + noise).clamp(0, 255).to(torch.uint8), targets.to(torch.uint8)


def test_numbers_are_those_of_torchmetrics_however_pairs_arrive(pairs) -> None:
    fakes, targets = pairs
    metric = PairDistance(FACTS)
    for rows in (slice(0, 2), slice(2, 5)):
        metric.update(fakes[rows], real=False, targets=targets[rows])
    values = metric.compute()
    psnr = PeakSignalNoiseRatio(data_range=255.0, dim=(1, 2, 3))
    ssim = StructuralSimilarityIndexMeasure(data_range=255.0)
    assert values["psnr"] == pytest.approx(float(psnr(fakes.float(), targets.float())), rel=1e-5)
    assert values["ssim"] == pytest.approx(float(ssim(fakes.float(), targets.float())), rel=1e-4)
    assert values["l1"] == pytest.approx(float((fakes.double() - targets.double()).abs().mean() / 255))


def test_equal_images_and_those_that_are_far_apart() -> None:
    black, white = torch.zeros(2, 3, 16, 12, dtype=torch.uint8), torch.full((2, 3, 16, 12), 255, dtype=torch.uint8)
    metric = PairDistance(FACTS)
    metric.update(white, real=False, targets=white)
    assert metric.compute() == pytest.approx({"l1": 0.0, "psnr": 100.0, "ssim": 1.0})
    metric.reset()
    metric.update(black, real=False, targets=white)
    assert metric.compute()["l1"] == 1.0
    assert math.isclose(metric.compute()["psnr"], 0.0, abs_tol=1e-9)


def test_small_images_have_no_ssim_and_vectors_nothing() -> None:
    metric = PairDistance(DataFacts((1, 8, 8), 4, "small"))
    metric.update(*(torch.zeros(1, 1, 8, 8, dtype=torch.uint8),), real=False, targets=torch.ones(1, 1, 8, 8).byte())
    assert set(metric.compute()) == {"l1", "psnr"}
    with pytest.raises(UserError, match="vectors: leave it out"):
        PairDistance(DataFacts((2,), 4, "vectors"))


def test_perceptual_distances_are_those_of_the_extractor(pairs) -> None:
    fakes, targets = pairs
    metric = PairPerceptual(FACTS, Pixels())
    metric.update(fakes, real=False, targets=targets)
    features = Pixels()
    wanted = (features(fakes).double() - features(targets).double()).square().sum(1).mean()
    assert metric.compute()["pair_lpips"] == pytest.approx(float(wanted))
