from __future__ import annotations

import numpy as np
import pytest
import torch
from ganlab_translation.segmentation import Segmentation, agreement
from ganlab_translation.torchvision_segmentation import TorchvisionSegmentation
from sklearn.metrics import accuracy_score, jaccard_score

from ganlab import DataFacts, InputFacts, UserError

FACTS = DataFacts((3, 8, 12), 64, "scenes", inputs={"label_map": InputFacts((8, 12), "maps", classes=3)})
COLOURS = torch.tensor([[0, 0, 0], [255, 0, 0], [0, 0, 255]], dtype=torch.uint8)


def scenes(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose colours are their classes, in blocks, and their maps."""
    generator = torch.Generator().manual_seed(0)
    blocks = torch.randint(3, (count, 2, 3), generator=generator)
    maps = blocks.repeat_interleave(4, 1).repeat_interleave(4, 2)
    return COLOURS[maps].permute(0, 3, 1, 2), maps


def test_scores_are_scikit_learns():
    random = np.random.default_rng(0)
    maps, seen = random.integers(0, 4, (3, 5, 6)), random.integers(0, 4, (3, 5, 6))
    found = agreement(torch.tensor(seen), torch.tensor(maps), 6)
    assert found["miou"] == pytest.approx(jaccard_score(maps.ravel(), seen.ravel(), average="macro"))
    assert found["accuracy"] == pytest.approx(accuracy_score(maps.ravel(), seen.ravel()))
    known = maps.ravel() != 3
    kept, shown = maps.ravel()[known], seen.ravel()[known]
    expected = jaccard_score(kept, shown, average="macro", labels=[0, 1, 2])
    found = agreement(torch.tensor(seen), torch.tensor(maps), 6, unknown=3)
    assert found["miou"] == pytest.approx(expected)
    assert found["accuracy"] == pytest.approx(accuracy_score(kept, shown))


def test_the_small_network_learns_the_runs_own_data():
    images, maps = scenes(96)
    metric = Segmentation(FACTS, width=8, passes=14)
    metric.update(images[:80], True, {"label_map": maps[:80]})
    metric.update(images[80:], False, {"label_map": maps[80:]})
    found = metric.compute()
    assert found["real_accuracy"] > 0.95
    assert found["accuracy"] > 0.95
    metric.reset()
    metric.update(images[80:], False, {"label_map": (maps[80:] + 1) % 3})
    assert metric.compute()["accuracy"] < 0.1


def test_any_network_that_segments_can_be_asked():
    class Reader:
        protocol = {"network": "reader"}

        def __call__(self, images):
            return images.flatten(1).float()

        def segment(self, images):
            return (images[:, 0] > 0).long() + 2 * (images[:, 2] > 0).long()

    images, maps = scenes(4)
    metric = Segmentation(FACTS, network=Reader())
    metric.update(images, False, {"label_map": maps})
    assert metric.compute() == {"miou": 1.0, "accuracy": 1.0}
    assert metric.protocol["network"] == {"network": "reader"}


def test_a_network_of_torchvision_with_weights_of_this_machine(tmp_path):
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(0)
    network = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3).eval()
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    made = TorchvisionSegmentation(str(tmp_path / "weights.pth"), "lraspp_mobilenet_v3_large", 3)
    images = torch.randint(0, 256, (1, 3, 32, 48), dtype=torch.uint8)
    mean, deviation = (torch.tensor(part).view(3, 1, 1) for part in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.no_grad():
        expected = network((images / 255 - mean) / deviation)["out"].argmax(1)
    assert torch.equal(made.segment(images), expected)
    with pytest.raises(UserError, match="does not hold the weights of lraspp"):
        TorchvisionSegmentation(str(tmp_path / "weights.pth"), "lraspp_mobilenet_v3_large", 4).segment(images)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Segmentation(FACTS, map="labels"), "their inputs: label_map"),
        (lambda: Segmentation(FACTS, network=object()), "tells no class of each pixel"),
        (lambda: TorchvisionSegmentation(), "needs a file of weights"),
    ],
)
def test_mistakes_end_in_a_sentence(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()
