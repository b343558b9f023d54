"""The named protocols are those of torch-fidelity, clean-fid and FD-DINOv2: the same images make the same numbers."""

import json

import pytest
import torch
from ganlab_metrics.dinov2 import DINOv2, VisionTransformer
from ganlab_metrics.frechet import FDDINOv2, FIDClean
from ganlab_metrics.inception import Inception


def close(found, expected):
    return {name: pytest.approx(value, rel=1e-4, abs=1e-9) for name, value in expected.items()} == found


def test_inception_is_that_of_torch_fidelity(parity, inception_weights):
    extractor = Inception(weights=str(inception_weights))
    images = parity.two_sets(2, size=40)[0]
    features, logits = parity.by_torch_fidelity(images, inception_weights)
    found = extractor(images)
    scale = float((features[0] - features[1]).abs().mean())
    assert float((found - features).abs().max()) < 1e-3 * scale
    torch.testing.assert_close(extractor.logits(found), logits, rtol=1e-4, atol=1e-3 * scale)


def test_fid_clean_sees_what_pillow_resizes(parity, inception_weights):
    images = parity.two_sets(2, size=40)[0]
    expected = parity.by_clean_fid(images, inception_weights)
    torch.testing.assert_close(
        parity.extractor_of("fid-clean", inception_weights)(images), expected, rtol=1e-4, atol=1e-5
    )
    whole = FIDClean(weights=str(inception_weights)).extractor
    assert (whole.protocol["resize"], whole.protocol["layer"]) == ("bicubic 299", "2048")


def test_fd_dinov2_is_a_transformer_of_torch_on_what_pillow_resizes(parity, tmp_path):
    images = parity.two_sets(2, size=40)[0]
    network = parity.random_transformer()
    found = parity.extractor_of("fd-dinov2", None)(images)
    torch.testing.assert_close(found, parity.by_torch_layers(images, network), rtol=1e-4, atol=1e-4)
    (tmp_path / "weights.pth").write_bytes(b"read when they are needed")
    whole = FDDINOv2(weights=str(tmp_path / "weights.pth")).extractor
    assert (whole.protocol["network"], whole.protocol["resize"]) == ("dinov2_vitl14", "bicubic 224")


class Classifies:
    """Stands for an extractor whose features another made."""

    protocol = {"network": "classifies"}

    def __init__(self, weight):
        self.weight = weight

    def logits(self, features):
        return features @ self.weight


@pytest.mark.parametrize(("reals", "fakes"), [(400, 300), (60, 50)])
def test_the_numbers_of_the_same_features_are_those_of_torch_fidelity(parity, reals, fakes):
    random = torch.Generator().manual_seed(1)
    mix = torch.randn(64, 64, generator=random) / 8
    real = torch.randn(reals, 64, generator=random) @ mix + 1
    fake = (0.8 * torch.randn(fakes, 64, generator=random) @ mix + 1.1).relu()
    extractor = Classifies(torch.randn(64, 10, generator=random))
    expected = parity.reference_numbers(real, fake, extractor.logits(fake))
    assert close(parity.of_this_pack(real, fake, extractor), expected)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("protocol", ["fid-tf", "fid-clean", "fd-dinov2"])
def test_the_numbers_of_1000_images_each_are_the_golden_ones(parity, inception_weights, protocol):
    golden = json.loads(parity.GOLDEN.read_text())[protocol]
    found = parity.found_by_this_pack(protocol, 1000, inception_weights)
    assert close({name: found[name] for name in golden}, golden)


@pytest.mark.slow
def test_a_file_of_dinov2_is_read_whole(parity, tmp_path):
    torch.manual_seed(0)
    network = VisionTransformer(384, 12, 6).eval().requires_grad_(False)
    torch.save(network.state_dict(), tmp_path / "small.pth")
    images = parity.two_sets(2, size=40)[0]
    expected = parity.by_torch_layers(images, network)
    torch.testing.assert_close(DINOv2("s", weights=str(tmp_path / "small.pth"))(images), expected, rtol=1e-3, atol=1e-4)
