"""The sliced Wasserstein distance against scipy's filters and distances in float64."""

import numpy as np
import pytest
import torch
from ganlab_metrics import descriptors
from ganlab_metrics.laplacian_pyramid import laplacian_pyramid, level_sizes
from ganlab_metrics.swd import SlicedWassersteinDistance
from ganlab_metrics.wasserstein import wasserstein_distances
from scipy.ndimage import convolve
from scipy.stats import wasserstein_distance

from ganlab import UserError

FILTER = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])[None, None] / 256


def images_of(count, channels, side, seed):
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, channels, side // 4, side // 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=side, mode="bilinear")
    noise = 0.2 * torch.rand(count, channels, side, side, generator=generator)
    return ((smooth + noise) / 1.2 * 255).to(torch.uint8)


def exact_pyramid(images, levels):
    pyramid = []
    for _ in range(levels - 1):
        coarser = convolve(images, FILTER, mode="mirror")[..., ::2, ::2]
        spread = np.zeros_like(images)
        spread[..., ::2, ::2] = coarser
        pyramid.append(images - convolve(spread, FILTER * 4, mode="mirror"))
        images = coarser
    return [*pyramid, images]


def exact_descriptors(level, patches, seed):
    """The same patches as the metric takes, cut and normalised one by one in float64."""
    count, _, height, width = level.shape
    places = np.random.default_rng(seed).random((count, patches, 2))
    rows = []
    for image, image_places in zip(level, places, strict=True):
        for down, across in image_places:
            top, left = int(down * (height - 6)), int(across * (width - 6))
            rows.append(image[:, top : top + 7, left : left + 7])
    descriptors = np.stack(rows)
    descriptors = descriptors - descriptors.mean(axis=(0, 2, 3), keepdims=True)
    descriptors = descriptors / descriptors.std(axis=(0, 2, 3), keepdims=True)
    return descriptors.reshape(len(rows), -1)


def exact_distance(reals, fakes, levels, patches, count):
    distances = []
    pyramids = [exact_pyramid(images.double().numpy(), levels) for images in (fakes, reals)]
    for level in range(levels):
        fake, real = (exact_descriptors(pyramids[kind][level], patches, [0, level, kind]) for kind in (0, 1))
        vectors = np.random.default_rng([0, level, 2]).standard_normal((count, fake.shape[1]))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        distances.append(1000 * np.mean([wasserstein_distance(real @ v, fake @ v) for v in vectors]))
    return distances


@pytest.mark.parametrize(("channels", "side", "fakes"), [(1, 16, 40), (3, 32, 40), (2, 32, 25)])
def test_equals_an_exact_computation(channels, side, fakes):
    reals, made = images_of(40, channels, side, 0), images_of(fakes, channels, side, 1).flip(2) // 2
    metric = SlicedWassersteinDistance((channels, side, side), patches=5, repeats=2, directions=20)
    for part in reals.split(16):
        metric.update(part, real=True)
    for part in made.split(7):
        metric.update(part, real=False)
    computed = metric.compute()
    levels = len(level_sizes(side, side))
    expected = exact_distance(reals, made, levels, 5, 40)
    assert list(computed) == [str(side >> level) for level in range(levels)] + ["average"]
    assert np.allclose(list(computed.values())[:-1], expected, rtol=1e-4)
    assert computed["average"] == pytest.approx(np.mean(expected), rel=1e-4)


def test_pyramid_equals_scipy_and_adds_up():
    images = images_of(3, 3, 64, 0).double()
    levels = laplacian_pyramid(images, 3)
    for level, expected in zip(levels, exact_pyramid(images.numpy(), 3), strict=True):
        assert np.allclose(level.numpy(), expected, atol=1e-9)


def test_unequal_counts_equal_scipy():
    random = np.random.default_rng(0)
    first, second = np.sort(random.normal(size=(3, 12))), np.sort(random.normal(1, 2, size=(3, 18)))
    expected = [wasserstein_distance(a, b) for a, b in zip(first, second, strict=True)]
    assert np.allclose(wasserstein_distances(first, second), expected)


def test_the_steps_of_unequal_counts_are_found_once(monkeypatch):
    found = []
    union = np.union1d
    monkeypatch.setattr(np, "union1d", lambda *sides: found.append(1) or union(*sides))
    metric = SlicedWassersteinDistance((1, 32, 32), patches=3, repeats=2, directions=40)
    metric.update(images_of(11, 1, 32, 0), real=True)
    for seed in (1, 2):
        metric.reset()
        metric.update(images_of(13, 1, 32, seed), real=False)
        metric.compute()
    assert len(found) <= 1


@pytest.mark.parametrize("cache_mib", [0, 1024])
def test_reset_forgets_fakes_and_keeps_reals(cache_mib):
    reals, fakes = images_of(20, 1, 16, 0), images_of(20, 1, 16, 3)
    metric = SlicedWassersteinDistance((1, 16, 16), patches=8, repeats=1, directions=8, cache_mib=cache_mib)
    metric.update(reals, real=True)
    metric.update(fakes, real=False)
    first = metric.compute()
    metric.reset()
    metric.update(255 - fakes // 3, real=False)
    assert metric.compute() != first
    metric.reset()
    metric.update(fakes, real=False)
    assert metric.compute() == first


@pytest.mark.parametrize("memory", [0, 40_000, 150_000])
def test_descriptors_beyond_the_memory_lie_in_files_and_give_the_same_numbers(memory, monkeypatch):
    files = []
    make = descriptors.tempfile.TemporaryFile
    monkeypatch.setattr(descriptors.tempfile, "TemporaryFile", lambda **named: files.append(make(**named)) or files[-1])
    monkeypatch.setattr(descriptors, "_ROWS", 37)
    roomy, narrow = (SlicedWassersteinDistance((3, 32, 32), 8, 1, 24) for _ in range(2))
    narrow.bytes_a_side = memory
    narrow._reals = narrow._empty(real=True)
    for metric in (roomy, narrow):
        for part in images_of(20, 3, 32, 0).split(6):
            metric.update(part, real=True)
    for seed in (1, 2):
        for metric in (roomy, narrow):
            metric.reset()
            for part in images_of(20, 3, 32, seed).split(6):
                metric.update(part, real=False)
        assert narrow.compute() == pytest.approx(roomy.compute(), rel=1e-6)
    held = sum(part.numel() * 4 for level in narrow._fakes for part in level._parts)
    assert held <= memory
    assert files


def test_ranks_sets_by_how_near_they_are():
    metric = SlicedWassersteinDistance((1, 32, 32), patches=16, repeats=1, directions=32)
    metric.update(images_of(100, 1, 32, 0), real=True)
    metric.update(images_of(100, 1, 32, 1), real=False)
    same = metric.compute()["average"]
    metric.reset()
    metric.update(torch.randint(256, (100, 1, 32, 32), dtype=torch.uint8), real=False)
    assert metric.compute()["average"] > 1.5 * same


def test_collapsed_fakes_have_a_finite_distance():
    metric = SlicedWassersteinDistance((1, 16, 16), patches=8, repeats=1, directions=8)
    metric.update(images_of(10, 1, 16, 0), real=True)
    metric.update(torch.zeros(10, 1, 16, 16, dtype=torch.uint8), real=False)
    assert np.isfinite(metric.compute()["average"])


@pytest.mark.parametrize(
    ("size", "levels"), [((128, 128), 4), ((16, 16), 1), ((8, 8), 1), ((48, 80), 2), ((31, 31), 1)]
)
def test_levels_stop_at_16_pixels_or_an_odd_side(size, levels):
    assert len(level_sizes(*size)) == levels


def test_levels_go_on_to_the_coarsest_that_is_asked_for():
    metric = SlicedWassersteinDistance((1, 32, 32), patches=4, repeats=1, directions=8, coarsest=8)
    for real in (True, False):
        metric.update(images_of(10, 1, 32, int(real)), real=real)
    assert list(metric.compute()) == ["32", "16", "8", "average"]
    assert metric.protocol["coarsest"] == 8


@pytest.mark.parametrize("shape", [(2,), (3, 6, 6)])
def test_refuses_what_has_no_patches(shape):
    with pytest.raises(UserError, match="swd"):
        SlicedWassersteinDistance(shape)


def test_counts_no_more_images_than_asked_for():
    few, many = (SlicedWassersteinDistance((1, 16, 16), 8, 1, 8, images=images) for images in (None, 12))
    for real in (True, False):
        images = images_of(40, 1, 16, int(real))
        few.update(images[:12], real=real)
        for part in images.split(9):
            many.update(part, real=real)
    assert few.compute() == many.compute()
