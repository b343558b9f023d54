"""Features by torchvision's classifiers, with made-up weights where torch would keep the published ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn.functional import interpolate

from ganlab.errors import UserError
from ganlab.evaluation import neighbours
from ganlab.evaluation.features import FeatureExtractor
from tests.evaluation.test_neighbours import Copier
from tests.tiny import TinyData

models = pytest.importorskip("torchvision.models")
MEAN, DEVIATION = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


@pytest.fixture
def weights(monkeypatch, tmp_path) -> Path:
    """The file that torch would download the classifier's weights to."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    url = models.get_model_weights("squeezenet1_1").DEFAULT.url
    path = tmp_path / "hub" / "checkpoints" / url.rpartition("/")[2]
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def network(weights) -> torch.nn.Module:
    torch.manual_seed(0)
    network = models.squeezenet1_1(weights=None).eval()
    torch.save(network.state_dict(), weights)
    return network


@pytest.mark.parametrize("channels", [2, 4])
def test_equals_the_classifier_below_its_last_layer(network, channels: int) -> None:
    images = torch.randint(256, (2, channels, 40, 30), dtype=torch.uint8)
    rgb = images[:, :3] if channels > 2 else images[:, :1].repeat(1, 3, 1, 1)
    scaled = interpolate(rgb / 255, size=(224, 224), mode="bilinear", antialias=True)
    normalised = ((scaled.permute(0, 2, 3, 1) - MEAN) / DEVIATION).permute(0, 3, 1, 2)
    with torch.no_grad():
        expected = network.features(normalised).mean((2, 3))
    torch.testing.assert_close(FeatureExtractor("squeezenet1_1")(images), expected)


def test_finds_copies_as_neighbours(network, monkeypatch) -> None:
    monkeypatch.setattr(neighbours, "COMPARED", 4)
    data = TinyData(4)
    found = neighbours.find_neighbours(Copier(data, copies=True), data, 2, vectors=FeatureExtractor("squeezenet1_1"))
    assert torch.equal(found.nearest[:, 0], found.fakes)


def test_what_is_not_there_is_explained(weights) -> None:
    with pytest.raises(UserError, match="no classifier 'squeezenet'; did you mean 'squeezenet1_"):
        FeatureExtractor("squeezenet")
    with pytest.raises(UserError, match=f"put https.*{weights.name} into {weights.parent}"):
        FeatureExtractor("squeezenet1_1")
    weights.write_bytes(b"something else")
    with pytest.raises(UserError, match="does not hold the weights of squeezenet1_1"):
        FeatureExtractor("squeezenet1_1")
