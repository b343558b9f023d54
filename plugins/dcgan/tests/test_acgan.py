"""AC-GAN's networks and specs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganlab_dcgan.acgan import ACGANDiscriminator, ACGANGenerator

from ganlab.errors import UserError
from ganlab.spec import read_spec

EXPERIMENTS = Path(__file__).parents[3] / "experiments"

pytestmark = pytest.mark.usefixtures("seeded")


def sizes_behind(network, kind, inputs):
    sizes = []
    for part in network.modules():
        if type(part).__name__ == kind:
            part.register_forward_hook(lambda part, given, output: sizes.append(tuple(output.shape[1:])))
    network(*inputs)
    return sizes


@pytest.mark.parametrize(
    ("side", "maps"),
    [
        (32, [(192, 8, 8), (96, 16, 16), (3, 32, 32)]),
        (128, [(384, 16, 16), (256, 32, 32), (192, 64, 64), (3, 128, 128)]),
    ],
)
def test_the_papers_layers(side, maps):
    labels = torch.tensor([0, 9])
    with torch.device("meta"):
        generator, discriminator = ACGANGenerator((3, side, side), 10), ACGANDiscriminator((3, side, side), 10)
        inputs = (torch.zeros(2, 100), labels.to("meta"))
        images = (torch.zeros(2, 3, side, side), labels.to("meta"))
    assert generator.first.in_features == 110
    assert sizes_behind(generator, "ConvTranspose2d", inputs) == maps
    halves = [side // 2, side // 2, side // 4, side // 4, side // 8, side // 8]
    expected = [(width, half, half) for width, half in zip((16, 32, 64, 128, 256, 512), halves, strict=True)]
    assert sizes_behind(discriminator, "Conv2d", images) == expected
    assert discriminator.classifier.out_features == 10


def test_noise_is_on_images_in_training_alone():
    network = ACGANDiscriminator((1, 16, 16), 3, [2, 2, 4, 4, 4, 4], noise=0.5, dropout=0.0)
    images, labels = torch.randn(4, 1, 16, 16), torch.tensor([0, 1, 2, 0])
    seen = []
    network.layers[0].register_forward_hook(lambda layer, given, output: seen.append(given[0]))
    network.train()(images, labels)
    network.eval()(images, labels)
    assert (seen[0] - images).std().item() == pytest.approx(0.5, rel=0.1)
    assert torch.equal(seen[1], images)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: ACGANGenerator((3, 64, 64)), "published networks for squares of 32 and 128"),
        (lambda: ACGANGenerator((3, 30, 30), widths=[4, 4]), "multiple of 4"),
        (lambda: ACGANDiscriminator((3, 30, 30)), "multiple of 8"),
        (lambda: ACGANDiscriminator((3, 32, 32), widths=[4, 4]), "has 2 entries"),
    ],
)
def test_what_does_not_fit_is_a_sentence(make, sentence):
    with pytest.raises(UserError, match=sentence):
        make()


@pytest.mark.parametrize("path", ["papers/acgan/cifar10", "papers/acgan/imagenet-128", "acgan/digits"])
def test_the_specs_tell_classes_and_draw_labels_of_their_own(path):
    architecture = read_spec(EXPERIMENTS / f"{path}.yaml", []).architecture.options
    assert architecture["fake_labels"] == "uniform"
    assert architecture["discriminator"].options.get("conditioning") in (None, "classifier")
