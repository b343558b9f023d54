from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch
from ganlab_datasets.digits import Digits
from ganlab_datasets.gaussian_mixture import GaussianMixture
from ganlab_datasets.stacked_digits import StackedDigits
from ganlab_datasets.swiss_roll import SwissRoll
from ganlab_datasets.torchvision_sets import cifar10, mnist
from scipy import stats
from sklearn.datasets import load_digits, make_swiss_roll

from ganlab.errors import DataError, DataMissing


@pytest.mark.parametrize("resolution", [8, 16, 32])
def test_digits_are_scikit_learns(resolution):
    data = Digits(resolution)
    assert data.facts.shape == (1, resolution, resolution)
    assert (data.facts.size, data.facts.classes) == (1797, 10)
    pixels, classes = load_digits(return_X_y=True)
    assert [data[index]["label"] for index in (0, 5, 1796)] == [classes[index] for index in (0, 5, 1796)]
    small = torch.nn.functional.adaptive_avg_pool2d(data.images.float(), 8).flatten(1).numpy()
    correlation = np.corrcoef(small.ravel(), pixels.ravel())[0, 1]
    assert correlation > (0.999 if resolution == 8 else 0.98)
    assert data.images.max() == 255


def test_digits_refuse_other_resolutions():
    for resolution in (4, 12, 0):
        with pytest.raises(DataError, match="power of two"):
            Digits(resolution)


@pytest.mark.parametrize(("layout", "modes", "deviation"), [("grid", 25, 0.05), ("ring", 8, 0.02)])
def test_mixtures_have_the_declared_distribution(layout, modes, deviation):
    data = GaussianMixture(layout, labels=True, size=20_000)
    centres = torch.tensor(data.facts.extras["centres"])
    assert len(centres) == data.facts.classes == modes
    offsets = (data.images - centres[data.labels]) / deviation
    assert stats.kstest(offsets.flatten().numpy(), "norm").pvalue > 1e-3
    assert stats.chisquare(data.labels.bincount().numpy()).pvalue > 1e-3
    assert data.images.dtype == torch.float32
    assert data.facts.value_range == (-1.0, 1.0)


def test_centres_of_mixtures():
    grid = GaussianMixture("grid", size=10).facts.extras["centres"]
    assert sorted(map(tuple, grid)) == [(x, y) for x in (-2, -1, 0, 1, 2) for y in (-2, -1, 0, 1, 2)]
    ring = GaussianMixture("ring", size=10).facts.extras["centres"]
    assert all(math.hypot(x, y) == pytest.approx(2, abs=1e-6) for x, y in ring)


def test_mixtures_are_a_function_of_their_seed():
    first, again, other = (GaussianMixture(size=100, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.images, again.images)
    assert first.facts.fingerprint == again.facts.fingerprint != other.facts.fingerprint
    assert first.facts.classes == 0
    assert set(first[0]) == {"images"}
    with pytest.raises(DataError, match="square number"):
        GaussianMixture("grid", modes=8)


def test_swiss_roll_is_scikit_learns_scaled():
    data = SwissRoll(noise=1e-4, size=20_000)
    theirs = make_swiss_roll(20_000, random_state=0)[0][:, [0, 2]] * (2 / (4.5 * math.pi))
    for angle in (0.0, 0.7, 2.0):  # the same distribution in every direction
        direction = np.array([math.cos(angle), math.sin(angle)])
        assert stats.ks_2samp(data.images.numpy() @ direction, theirs @ direction).pvalue > 1e-3
    assert data.images.norm(dim=1).max() == pytest.approx(2, abs=1e-3)
    assert (data.facts.shape, data.facts.classes, data.facts.value_range) == ((2,), 0, (-1.0, 1.0))


def test_noise_and_curve_of_the_swiss_roll():
    facts = SwissRoll(noise=0.05, size=5000).facts
    curve = torch.tensor(facts.extras["curve"])
    distances = torch.cdist(SwissRoll(noise=0.05, size=5000).images, curve).min(1).values
    assert (distances <= 3 * facts.extras["standard_deviation"]).float().mean() == pytest.approx(0.997, abs=3e-3)
    with pytest.raises(DataError, match="above 0"):
        SwissRoll(noise=0)


def test_channels_of_stacked_digits_are_digits_on_their_own():
    data, digits = StackedDigits(resolution=8, size=20_000), Digits(8)
    assert data.facts.shape == data.images.shape[1:] == (3, 8, 8)
    assert (data.facts.classes, data.facts.extras["stacked_digits"], data.labels) == (0, 3, None)
    classes = {image.numpy().tobytes(): int(label) for image, label in zip(digits.images, digits.labels, strict=True)}
    stacks = torch.tensor([[classes[channel.numpy().tobytes()] for channel in image] for image in data.images])
    for first, second in ((0, 1), (0, 2), (1, 2)):
        table = np.histogram2d(stacks[:, first], stacks[:, second], bins=10)[0]
        assert stats.chi2_contingency(table).pvalue > 1e-3
    assert len((stacks @ torch.tensor([100, 10, 1])).unique()) == 1000
    assert torch.equal(data.images, StackedDigits(resolution=8, size=20_000).images)


def test_missing_torchvision_sets_are_explained(tmp_path):
    for factory, shape in ((cifar10, (3, 32, 32)), (mnist, (1, 28, 28))):
        with pytest.raises(DataMissing, match="download: true") as missing:
            factory(str(tmp_path))
        assert missing.value.facts.shape == shape
        assert missing.value.facts.classes == 10


def test_cifar10_in_its_own_format(tmp_path, monkeypatch):
    from torchvision.datasets import CIFAR10

    folder = tmp_path / CIFAR10.base_folder
    folder.mkdir()
    rows = np.random.default_rng(0).integers(0, 256, (4, 3072), dtype=np.uint8)
    for name, _ in CIFAR10.train_list:
        (folder / name).write_bytes(pickle.dumps({"data": rows, "labels": [3, 1, 4, 1]}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["x"] * 10}))
    monkeypatch.setattr("torchvision.datasets.cifar.check_integrity", lambda *args: True)
    data = cifar10(str(tmp_path))
    assert (data.facts.shape, data.facts.size, data.facts.class_names[3]) == ((3, 32, 32), 20, "cat")
    assert np.array_equal(data[1]["images"].flatten().numpy(), rows[1])
    assert data[1]["label"] == 1


def test_mnist_in_its_own_format(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    shapes = {"images-idx3-ubyte": (3, 28, 28), "labels-idx1-ubyte": (3,)}
    for name, shape in shapes.items():
        header = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)
        content = pixels.tobytes() if len(shape) == 3 else bytes([7, 0, 9])
        for split in ("train", "t10k"):
            (folder / f"{split}-{name}").write_bytes(header + content)
    data = mnist(str(tmp_path), resolution=32)
    assert data.facts.shape == (1, 32, 32)
    assert np.array_equal(data[2]["images"][0, 2:-2, 2:-2].numpy(), pixels[2])
    assert data[2]["label"] == 9
    assert mnist(str(tmp_path)).facts.shape == (1, 28, 28)
