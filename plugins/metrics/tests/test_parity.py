"""FID, KID, Inception Score, precision and recall are those of torch-fidelity, and Inception is its network."""

import importlib.util
from pathlib import Path

import pytest
import torch
from ganlab_metrics.inception import Inception
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

_spec = importlib.util.spec_from_file_location("parity", Path(__file__).parent / "parity.py")
parity = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(parity)


def close(found, expected):
    return {name: pytest.approx(value, rel=1e-4, abs=1e-9) for name, value in expected.items()} == found


def test_inception_is_that_of_torch_fidelity(inception_weights):
    reference = FeatureExtractorInceptionV3(
        "inception-v3-compat", ["2048", "logits_unbiased"], str(inception_weights), verbose=False
    )
    extractor = Inception(weights=str(inception_weights))
    images = parity.two_sets(2, size=40)[0]
    features, logits = reference(images)
    found = extractor(images)
    scale = float((features[0] - features[1]).abs().mean())
    assert float((found - features).abs().max()) < 1e-3 * scale
    torch.testing.assert_close(extractor.logits(found), logits, rtol=1e-4, atol=1e-3 * scale)


class Classifies:
    """Stands for an extractor whose features another made."""

    protocol = {"network": "classifies"}

    def __init__(self, weight):
        self.weight = weight

    def logits(self, features):
        return features @ self.weight


@pytest.mark.parametrize(("reals", "fakes"), [(400, 300), (60, 50)])
def test_the_numbers_of_the_same_features_are_those_of_torch_fidelity(reals, fakes):
    random = torch.Generator().manual_seed(1)
    mix = torch.randn(64, 64, generator=random) / 8
    real = torch.randn(reals, 64, generator=random) @ mix + 1
    fake = (0.8 * torch.randn(fakes, 64, generator=random) @ mix + 1.1).relu()
    extractor = Classifies(torch.randn(64, 10, generator=random))
    expected = parity.reference_numbers(real, fake, extractor.logits(fake))
    assert close(parity.of_this_pack(real, fake, extractor), expected)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_numbers_of_1000_images_each_are_those_of_torch_fidelity(inception_weights):
    expected, found = parity.compare_on_images(1000, inception_weights)
    assert close(found, expected)
