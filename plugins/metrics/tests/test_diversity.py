"""The similarity of pairs against torchmetrics, and a computation by scipy where that has no answer."""

import numpy as np
import pytest
import torch
from ganlab_metrics.diversity import PairSimilarity
from ganlab_metrics.structural_similarity import WEIGHTS, ms_ssim
from scipy.ndimage import correlate
from torchmetrics.functional.image import structural_similarity_index_measure

from ganlab import UserError


def images_of(count, channels, side, seed):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, max(side // 8, 2), max(side // 8, 2), generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=side, mode="bilinear")
    noise = torch.rand(count, channels, side, side, generator=generator)
    return ((smooth + 0.3 * noise) / 1.3 * 255).to(torch.uint8)


def by_torchmetrics(first, second):
    """One pair, scale by scale: torchmetrics' own product of them mirrors the borders of the last one."""
    product = 1.0
    for scale, weight in enumerate(WEIGHTS):
        options = {"data_range": 255.0, "reduction": "none"}
        _, contrast = structural_similarity_index_measure(first, second, return_contrast_sensitivity=True, **options)
        _, full = structural_similarity_index_measure(first, second, return_full_image=True, **options)
        product *= (full[..., 5:-5, 5:-5].mean() if scale == 4 else contrast) ** weight
        first, second = (torch.nn.functional.avg_pool2d(image, 2) for image in (first, second))
    return product.item()


@pytest.mark.parametrize("channels", [1, 3])
def test_equals_torchmetrics(channels):
    first = images_of(2, channels, 176, 0).double()
    second = (0.6 * first + 0.4 * images_of(2, channels, 176, 1)).round()
    expected = [by_torchmetrics(a[None], b[None]) for a, b in zip(first, second, strict=True)]
    assert ms_ssim(first, second).tolist() == pytest.approx(expected, rel=1e-9)


def by_scipy(first, second):
    """One pair of grey images in float64, window and all as the paper's authors shrink it."""
    product = 1.0
    for scale, weight in enumerate(WEIGHTS):
        size = min(11, *first.shape)
        places = np.arange(size) - (size - 1) / 2
        line = np.exp(-((places / (1.5 * size / 11)) ** 2) / 2)
        window = np.outer(line, line) / line.sum() ** 2
        low, high = (size - 1) // 2, first.shape[0] - size // 2

        def local(image, window=window, low=low, high=high, origin=-((window.shape[0] + 1) % 2)):
            return correlate(image, window, mode="reflect", origin=origin)[low:high, low:high]

        m1, m2 = local(first), local(second)
        v1, v2 = local(first**2) - m1**2, local(second**2) - m2**2
        contrast = (2 * (local(first * second) - m1 * m2) + 58.5225) / (v1 + v2 + 58.5225)
        luminance = (2 * m1 * m2 + 6.5025) / (m1**2 + m2**2 + 6.5025)
        value = (contrast * luminance).mean() if scale == 4 else contrast.mean()
        product *= max(value, 0.0) ** weight
        if len(first) > 1:
            first, second = (i.reshape(len(i) // 2, 2, len(i) // 2, 2).mean((1, 3)) for i in (first, second))
    return product


@pytest.mark.parametrize("side", [4, 16, 64])
def test_windows_shrink_to_small_images(side):
    first, second = images_of(1, 1, side, 0).double(), images_of(1, 1, side, 5).double()
    second = (first + second) / 2
    assert ms_ssim(first, second).item() == pytest.approx(by_scipy(first[0, 0].numpy(), second[0, 0].numpy()), rel=1e-9)


@pytest.mark.parametrize("sizes", [[40], [1, 2, 3, 34], [7, 33], [39, 1]])
def test_streaming_in_any_pieces(sizes):
    images = images_of(40, 1, 16, 0)
    expected = ms_ssim(images[::2].double(), images[1::2].double()).mean().item()
    metric = PairSimilarity((1, 16, 16))
    for part in images.split(sizes):
        metric.update(part, real=True)
        metric.update(part.flip(2), real=False)
    computed = metric.compute()
    assert computed["reals"] == pytest.approx(expected, rel=1e-5)
    metric.reset()
    metric.update(images, real=False)
    assert metric.compute() == pytest.approx({"ms_ssim": expected, "reals": expected}, rel=1e-5)


def test_no_more_pairs_than_asked_for():
    images = images_of(20, 1, 16, 0)
    metric = PairSimilarity((1, 16, 16), pairs=3)
    for part in images.split(5):
        metric.update(part, real=True)
        metric.update(part, real=False)
    expected = ms_ssim(images[:6:2].double(), images[1:6:2].double()).mean().item()
    assert metric.compute()["ms_ssim"] == pytest.approx(expected, rel=1e-5)


def test_equal_images_have_the_similarity_1():
    metric = PairSimilarity((3, 32, 32))
    metric.update(images_of(8, 3, 32, 0), real=True)
    metric.update(images_of(1, 3, 32, 0).expand(8, -1, -1, -1), real=False)
    computed = metric.compute()
    assert computed["ms_ssim"] == pytest.approx(1, abs=1e-6)
    assert computed["reals"] < 0.9


def test_refuses_vectors():
    with pytest.raises(UserError, match="ms_ssim"):
        PairSimilarity((2,))
