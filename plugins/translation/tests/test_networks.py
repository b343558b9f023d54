"""The networks of pix2pix and CycleGAN: parameters, receptive fields, sizes, noise."""

from __future__ import annotations

import pytest
import torch
from ganlab_layers.groups import InstanceNormalizer
from ganlab_translation.patch import PatchDiscriminator
from ganlab_translation.resnet import ResNetGenerator
from ganlab_translation.unet import UNetGenerator
from torch import nn

from ganlab.errors import UserError
from ganlab.facts import InputFacts
from ganlab.nn.conditions import condition_channels, stacked
from ganlab.randomness import Randomness, layer_draws
from ganlab.testing import parameter_count

RGB = (3, 256, 256)
SOURCE = {"source": InputFacts(RGB, "images")}
PLAIN = InstanceNormalizer(affine=False)


def test_parameters_are_the_published_ones():
    with torch.device("meta"):
        assert parameter_count(UNetGenerator(RGB, SOURCE)) == 54_413_955
        assert parameter_count(PatchDiscriminator(RGB, SOURCE)) == 2_768_705
        assert parameter_count(ResNetGenerator(RGB, SOURCE, bias=True)) == 11_378_179
        assert parameter_count(ResNetGenerator((3, 128, 128), bias=True)) == 7_837_699
        assert parameter_count(PatchDiscriminator(RGB, normalizer=PLAIN, bias=True)) == 2_764_737


@pytest.mark.parametrize("patch", [1, 16, 34, 70, 142, 286])
def test_a_logit_sees_a_patch_of_the_image(patch: int) -> None:
    """Only the pixels of its patch have a gradient, and those at its border have one, too."""
    side = 384 if patch > 100 else 160
    torch.manual_seed(0)
    network = PatchDiscriminator((1, side, side), patch=patch, width=1, normalizer=_None()).double()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.constant_(layer.weight, 0.1)  # so that no pixel's part is lost in a rectifier
    images = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    logits = network(images).logits
    middle = logits.shape[1] // 2
    (gradient,) = torch.autograd.grad(logits[0, middle, middle], images)
    for axis in (0, 1):
        seen = gradient[0, 0].abs().sum(axis).nonzero().flatten()
        assert int(seen.max() - seen.min()) + 1 == patch


class _None:
    def weight(self, layer: nn.Module) -> nn.Module:
        return layer

    def activation(self, channels: int, condition: int | None = None) -> nn.Module:
        return nn.Identity()


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (33, 50)])
def test_images_have_the_size_of_what_they_are_made_from(size: tuple[int, int]) -> None:
    source = torch.rand(2, 1, *size)
    inputs = {"source": InputFacts((1, *size), "images")}
    for network in (UNetGenerator((3, *size), inputs, width=2), ResNetGenerator((3, *size), inputs, width=2, blocks=1)):
        images = network(source)
        assert images.shape == (2, 3, *size)
        assert images.abs().max() <= 1


def test_networks_translate_images_larger_than_those_they_were_made_for() -> None:
    for network in (UNetGenerator((3, 16, 16), width=2), ResNetGenerator((3, 16, 16), width=2, blocks=1)):
        assert network(torch.rand(1, 3, 45, 64)).shape == (1, 3, 45, 64)


def test_dropout_is_the_noise_of_the_unet_and_follows_the_seed() -> None:
    network = UNetGenerator((3, 16, 16), width=4).eval()
    source = torch.rand(2, 3, 16, 16)

    def translated(seed: int, rows: int = 2) -> torch.Tensor:
        with layer_draws(Randomness(seed, count=rows)), torch.no_grad():
            return network(source[:rows])

    assert torch.equal(translated(0), translated(0))
    assert not torch.equal(translated(0), translated(1))
    assert torch.allclose(translated(0, 1), translated(0)[:1], atol=1e-6)


def test_small_images_are_refused_with_what_to_do() -> None:
    with pytest.raises(UserError, match="2\\^5 = 32 pixels.*allow 2 to 4"):
        UNetGenerator((3, 16, 16), depth=5)
    with pytest.raises(UserError, match="too small for patches of 70"):
        PatchDiscriminator((3, 16, 16))
    with pytest.raises(UserError, match="too small"):
        UNetGenerator((3, 64, 64), width=1)(torch.zeros(1, 3, 16, 80))


def test_maps_enter_one_hot_beside_images() -> None:
    facts = {"source": InputFacts((2, 4, 6), "images"), "classes": InputFacts((4, 6), "maps", classes=3)}
    assert condition_channels(facts, (3, 4, 6)) == 5
    maps = torch.randint(0, 3, (2, 4, 6))
    images = torch.rand(2, 2, 4, 6)
    stack = stacked({"classes": maps, "source": images}, facts)
    assert torch.equal(stack[:, :2], images)
    assert torch.equal(stack[:, 2:].argmax(1), maps)
    assert torch.equal(stack[:, 2:].sum(1), torch.ones(2, 4, 6))


def test_inputs_that_cannot_be_translated_are_refused() -> None:
    for facts, sentence in (
        (InputFacts((5,)), "numbers"),
        (InputFacts((8, 8), "maps"), "unknown classes"),
        (InputFacts((3, 8, 4), "images"), "8 x 4 pixels and the images 8 x 8"),
    ):
        with pytest.raises(UserError, match=sentence):
            condition_channels({"source": facts}, (3, 8, 8))
